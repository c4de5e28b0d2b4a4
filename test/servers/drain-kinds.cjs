// A server of the kind that KIND says; its certificate, for localhost, is worth nothing to anybody else.
const { serve } = require("./drain-core.cjs");
const pem = (label, text) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
const key = pem("PRIVATE KEY", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgU9mWYdrXnSwsG/jXFs4uJNlBYn0hrgpdcnQS5nzJ2luhRANCAARqtRlgQwEsSYcvraQ23xrLesLKFuBL2/oqAiU9PkhySjzuqvsMb/IoWoh14tIPLP/cqOBOxPVsHAAANnUc7S6S");
const cert = pem("CERTIFICATE", "MIIBfjCCASWgAwIBAgIUKURCUWXwMhEUBjowzpkqMJNDWTwwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA4MDgxMVoYDzIxMjYxMDMwMDgwODExWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARqtRlgQwEsSYcvraQ23xrLesLKFuBL2/oqAiU9PkhySjzuqvsMb/IoWoh14tIPLP/cqOBOxPVsHAAANnUc7S6So1MwUTAdBgNVHQ4EFgQUgMDOl/tg97czbx/FtonXt0tBOHwwHwYDVR0jBBgwFoAUgMDOl/tg97czbx/FtonXt0tBOHwwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBMYCLWwY0CCcdgFKWm/eYzJSOn88OcarRFnYxdhh62WAIgSV/pDHRZH6DeehrjWVWdenVSRSSwX0upFX2MfIP/Qvo=");
const answer = (request, response) => setTimeout(() => response.end("ok"), Number(request.url.slice(1)));
serve({
  https: () => require("node:https").createServer({ key, cert }, answer),
  http2: () => require("node:http2").createServer(answer),
  both: () => require("node:http2").createSecureServer({ key, cert, allowHTTP1: true }, answer),
  net: () => require("node:net").createServer((socket) => socket.pipe(socket)),
}[process.env.KIND]());
