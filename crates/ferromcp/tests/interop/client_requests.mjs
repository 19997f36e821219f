// The answers of the TypeScript clients to requests of a server, and their results.

export const TOOLS = ["book", "guess", "delete", "story", "both", "look"];
export const ROOTS = [{ uri: "file:///home/ada" }, { uri: "file:///tmp" }];
export const seen = { asked: [], results: {}, client_problems: [] };

const TOTAL_MILLISECONDS = 60_000;
setTimeout(() => finish(new Error("timed out")), TOTAL_MILLISECONDS).unref();

// The answers by question; repeated questions get the next answer.
const ANSWERS = {
  "Name?": ["Ada"],
  "How many seats, Ada?": [3],
  "3 seats for Ada, sure?": [true],
  "A number?": [1, 5, 7],
  "Delete everything?": [null],
  "About what?": ["crabs"],
  "Write a story about crabs": ["Crabs have ten legs."],
  "Is it good: Crabs have ten legs.?": [true],
  "left, turn 1?": [1],
  "right, turn 1?": [10],
  "left, turn 2?": [2],
  "right, turn 2?": [20],
};

export function answerTo(words) {
  seen.asked.push(words);
  return ANSWERS[words].shift();
}

export function finish(error) {
  if (error) seen.failure = String(error.stack ?? error);
  console.log(JSON.stringify(seen, null, 2));
  process.exit(error ? 1 : 0);
}
