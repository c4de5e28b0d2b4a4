/** Who we are; a test compares it with package.json. */
export const version = "2.0.0-alpha.1";
/** Raised when a client has to know. */
export const protocolVersion = 1;
