/** Contracts: each hop between two actors is declared once; client, handlers, validators and documents derive from it. */

/** What a validator finds. Shaped as typia's `IValidation`. */
export type Validation<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly errors: readonly ValidationError[] };

export interface ValidationError {
  /** Where, as in `$input.workers[0].pid`. */
  readonly path: string;
  /** The type that was expected there. */
  readonly expected: string;
}

export type Validator<T> = (input: unknown) => Validation<T>;

/** Which way a descriptor travels with a call. */
export type HandleDirection = "in" | "out";

export interface Request<P, R> {
  readonly kind: "request";
  readonly params: Validator<P>;
  readonly result: Validator<R>;
  readonly handle?: HandleDirection;
}

export interface Notification<P> {
  readonly kind: "notification";
  readonly params: Validator<P>;
}

export type Methods = Readonly<Record<string, Request<never, unknown> | Notification<never>>>;

export interface Contract<M> {
  readonly actor: string;
  readonly methods: M;
}

/** A method that is answered once: `handle` says that a descriptor comes in with the call, or goes out with the answer. */
export function request<P, R>(
  params: Validator<P>,
  result: Validator<R>,
  options: { readonly handle?: HandleDirection } = {},
): Request<P, R> {
  return { kind: "request", params, result, ...options };
}

/** A method that is never answered. */
export function notification<P>(params: Validator<P>): Notification<P> {
  return { kind: "notification", params };
}

/** On the wire a method is called `actor/method`. */
export function contract<M>(actor: string, methods: M): Contract<M> {
  return { actor, methods };
}

/** An open descriptor, as Node's process channels carry it. */
export type Handle = object;

/** The calling side of a contract. */
export type Client<C> =
  C extends Contract<infer M>
    ? {
        readonly [K in keyof M]: M[K] extends Request<infer P, infer R>
          ? (params: P, handle?: Handle) => Promise<R>
          : M[K] extends Notification<infer P>
            ? (params: P) => void
            : never;
      }
    : never;

/** What a handler knows about the call besides its parameters. */
export interface CallContext {
  /** The descriptor that came with the call. */
  readonly handle: Handle | undefined;
  /** The listener is called when the caller is not interested any more; the call is to be answered all the same. */
  onCancel(listener: () => void): void;
  /** The listener is called when the connection ends before the call is answered. */
  onGone(listener: () => void): void;
}

/** The serving side of a contract: every method must be there. */
export type Handlers<C> =
  C extends Contract<infer M>
    ? {
        readonly [K in keyof M]: M[K] extends Request<infer P, infer R>
          ? (params: P, call: CallContext) => Promise<R> | R
          : M[K] extends Notification<infer P>
            ? (params: P) => void
            : never;
      }
    : never;

/** The types of the methods, by name: what the schemas for documents are generated from. */
export type Shapes<C> =
  C extends Contract<infer M>
    ? {
        [K in keyof M]: M[K] extends Request<infer P, infer R>
          ? (params: P) => R
          : M[K] extends Notification<infer P>
            ? (params: P) => void
            : never;
      }
    : never;
