/** The package as other programs import it: `naught`. */
export { type ErrorName, NaughtError } from "../protocol/errors.js";
export type * from "../protocol/types.js";
export { connect } from "./client.js";
export type * from "./types.js";
