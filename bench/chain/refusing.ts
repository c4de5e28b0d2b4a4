/** Handlers for the few methods of a contract that the chain uses; all others are refused. */
import type { Contract, Handlers } from "../../src/protocol/contract.js";

export function refuseAllBut<M>(
  _contract: Contract<M>,
  used: Partial<Handlers<Contract<M>>>,
): Handlers<Contract<M>> {
  const refuse = (): never => {
    throw new Error("not in this chain");
  };
  return new Proxy(used, {
    get: (target, name) => Reflect.get(target, name) ?? refuse,
  }) as Handlers<Contract<M>>;
}
