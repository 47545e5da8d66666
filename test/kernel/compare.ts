/** Two engines play the same case; after each step they must say the same. */
import type { Policy, SeatSource } from "../../src/kernel/rule.ts";
import {
  type Beginning,
  type Happening,
  type Refusal,
  type Status,
  type Story,
  begin,
  happen,
  mayVote,
  standing,
} from "./naive.ts";
import type { Case } from "./cases.ts";

/** What an engine says after one happening, in a form in which two of them can be compared. */
export interface Seen {
  readonly status: Status;
  readonly stage: number;
  readonly seq: number;
  readonly refusal: string;
  /** Seats of a recorded approval, sorted. */
  readonly recorded: string;
  /** Voters per leaf of the open stage and vetoes in it; empty once nothing is open. */
  readonly tally: string;
  /** For each person whether they may vote, or why not. */
  readonly mayVote: string;
}

export interface Engine {
  happen(happening: Happening): Seen;
}

export type EngineMaker = (policy: Policy, beginning: Beginning) => Engine;

export interface Disagreement {
  readonly case: Case;
  /** What each engine said at each step, up to the first at which they differ. */
  readonly steps: readonly {
    readonly happening: Happening;
    readonly one: Seen;
    readonly other: Seen;
  }[];
}

/** Undefined when the two agree on the whole case. An engine that throws disagrees with one that does not. */
export function compare(
  sample: Case,
  one: EngineMaker,
  other: EngineMaker,
): Disagreement | undefined {
  const left = one(sample.policy, sample.beginning);
  const right = other(sample.policy, sample.beginning);
  const steps: { happening: Happening; one: Seen; other: Seen }[] = [];
  for (const happening of sample.happenings) {
    const step = { happening, one: ask(left, happening), other: ask(right, happening) };
    steps.push(step);
    if (differingFields(step.one, step.other).length > 0) return { case: sample, steps };
  }
  return undefined;
}

export function differingFields(one: Seen, other: Seen): (keyof Seen)[] {
  return FIELDS.filter((field) => one[field] !== other[field]);
}

const FIELDS = ["status", "stage", "seq", "refusal", "recorded", "tally", "mayVote"] as const;

function ask(engine: Engine, happening: Happening): Seen {
  try {
    return engine.happen(happening);
  } catch (error) {
    const thrown = `throws ${String(error)}`;
    return {
      status: "open",
      stage: -1,
      seq: -1,
      refusal: thrown,
      recorded: "",
      tally: "",
      mayVote: "",
    };
  }
}

export const naiveEngine: EngineMaker = (policy, beginning) => {
  let story: Story = begin(policy, beginning);
  let now = 0;
  return {
    happen: (happening) => {
      const result = happen(story, happening);
      story = result.story;
      now = "now" in happening ? happening.now : now;
      const { status, stage, seq, refusal } = result.answer;
      const isApproval =
        happening.kind === "vote" && happening.stance === "approve" && result.answer.seats;
      return {
        status,
        stage,
        seq,
        refusal: refusal === undefined ? "" : refusalText(refusal),
        recorded: isApproval ? seatsText(isApproval) : "",
        tally: tallyOf(story),
        mayVote: beginning.people
          .map((person) => whetherText(person.id, mayVote(story, person.id, now)))
          .join(", "),
      };
    },
  };
};

function tallyOf(story: Story): string {
  const { status, approved, vetoes } = standing(story);
  return status === "open" || status === "rejected"
    ? tallyText(
        approved.map((voters) => voters.length),
        vetoes.length,
      )
    : "";
}

export function tallyText(approvals: readonly number[], vetoes: number): string {
  return `${approvals.join(" ")} / ${vetoes}`;
}

export function whetherText(principal: string, refusal: Refusal | undefined): string {
  return `${principal} ${refusal === undefined ? "may" : refusalText(refusal)}`;
}

export function seatsText(seats: readonly SeatSource[]): string {
  const names = [...new Set(seats.map((seat) => `${seat.kind} ${seat.id}`))];
  return names.length === 0 ? "no seat" : names.toSorted().join(", ");
}

export function refusalText(refusal: Refusal): string {
  switch (refusal.reason) {
    case "terminal":
      return `terminal: ${refusal.status}`;
    case "not-eligible":
      return `not-eligible: ${refusal.because}`;
    case "seat-not-held":
      return `seat-not-held: ${seatsText([refusal.seat])}`;
    case "assurance-missing":
    case "assurance-impossible":
      return `${refusal.reason}: ${refusal.missing.toSorted().join(", ")}`;
    default:
      return refusal.reason;
  }
}
