/** Several contenders that run the same server at the same time, each on a stage of its own, to be measured in turns. */
import type { Plan } from "../report/section.js";
import { openStage, type Stage } from "../setting/stage.js";
import type { App, Contender, Service } from "./contender.js";

export interface Member {
  /** Its row in the tables. */
  readonly name: string;
  readonly stage: Stage;
  readonly service: Service;
}

export interface Entrant {
  readonly name: string;
  readonly contender: Contender;
}

/** One that does not start is left out, and told. */
export async function withCompany(
  { attempt }: Pick<Plan, "attempt">,
  entrants: readonly Entrant[],
  app: App,
  env: Readonly<Record<string, string>>,
  body: (members: readonly Member[]) => Promise<void>,
): Promise<void> {
  const members: Member[] = [];
  try {
    for (const { name, contender } of entrants) {
      await attempt(`the start of ${name}`, async () => {
        const stage = openStage(env);
        members.push({ name, stage, service: await contender.start(stage, app) });
      });
    }
    await body(members);
  } finally {
    for (const { stage } of members) await stage.close();
  }
}

/** One contender, started and ended again. */
export async function withService<T>(
  contender: Contender,
  app: App,
  env: Readonly<Record<string, string>>,
  body: (service: Service, stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = openStage(env);
  try {
    return await body(await contender.start(stage, app), stage);
  } finally {
    await stage.close();
  }
}

export function enter(contenders: readonly Contender[]): Entrant[] {
  return contenders.map((contender) => ({ name: contender.name, contender }));
}

/** One of the two clusters, for what does not depend on who accepts connections. */
export function listDistinct(contenders: readonly Contender[]): Contender[] {
  const hasCluster = contenders.some(({ name }) => name === "cluster");
  return contenders.filter(({ name }) => name !== "cluster-rr" || !hasCluster);
}

/** Each round begins with another one, so that nobody always comes first. */
export function rotate<T>(list: readonly T[], round: number): T[] {
  const at = round % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}
