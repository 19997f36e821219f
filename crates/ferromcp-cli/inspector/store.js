// The state of the page, which follows the events of `mcp dev`.

/** Maximum number of messages and log entries; the oldest are removed. */
const MAX_MESSAGES = 2000;
const MAX_LOG = 5000;

/** Delay after which views of messages and of the log are updated, in milliseconds. */
const BATCH = 50;

const emptyState = {
  status: "building",
  generation: 0,
  error: null,
  target: "",
  endpoint: "",
  command: [],
  url: null,
  watching: [],
};

/** The state. Views read it and subscribe to its topics. */
export const store = {
  state: emptyState,
  /** @type {Map<string, any>} */
  connections: new Map(),
  /** The id of the connection that the views use. */
  current: "auto",
  /** @type {Map<string, any>} */
  questions: new Map(),
  /** @type {{uri: string, name?: string}[]} */
  roots: [],
  /** @type {any[]} */
  messages: [],
  /** @type {any[]} */
  log: [],
  /** The steps of the latest login of each connection. @type {Map<string, any[]>} */
  logins: new Map(),
  /** @type {"open" | "lost" | "unauthorized"} */
  stream: "lost",
};

/** @type {Map<string, Set<(detail: any) => void>>} */
const listeners = new Map();
const batched = new Map();

/**
 * Subscribes to a topic: an event of `mcp dev`, or `catalog`, `calls` and `snapshot` of the page.
 * @param {string} topic
 * @param {(detail: any) => void} listener
 * @returns {() => void} ends the subscription
 */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic)?.add(listener);
  return () => listeners.get(topic)?.delete(listener);
}

/**
 * Notifies the subscribers of a topic.
 * @param {string} topic
 * @param {any} [detail]
 */
export function emit(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) {
    try {
      listener(detail);
    } catch (error) {
      // A view that fails must not stop the others.
      console.error(error);
    }
  }
}

function emitBatched(topic) {
  if (batched.has(topic)) return;
  batched.set(
    topic,
    setTimeout(() => {
      batched.delete(topic);
      emit(topic);
    }, BATCH),
  );
}

/**
 * Returns the connection that the views use.
 * @returns {any}
 */
export function currentConnection() {
  return store.connections.get(store.current) ?? { id: store.current, status: "closed", capabilities: {} };
}

/**
 * Selects the connection that the views use.
 * @param {string} id
 */
export function selectConnection(id) {
  store.current = id;
  emit("connection", currentConnection());
}

/**
 * Applies an event.
 * @param {any} event
 */
export function apply(event) {
  switch (event.type) {
    case "snapshot":
      return applySnapshot(event);
    case "state": {
      const previous = store.state;
      store.state = event.state;
      return emit("state", previous);
    }
    case "connection":
      return applyConnection(event.connection);
    case "message":
      store.messages.push(event.message);
      trim(store.messages, MAX_MESSAGES);
      emit("message", event.message);
      return emitBatched("messages");
    case "log":
      store.log.push(event.entry);
      trim(store.log, MAX_LOG);
      return emitBatched("log");
    case "progress":
      return emit("progress", event);
    case "question":
      store.questions.set(event.question.id, event.question);
      return emit("question", event.question);
    case "questionClosed":
      store.questions.delete(event.id);
      return emit("question", null);
    case "change":
      return emit("change", event);
    case "roots":
      store.roots = event.roots;
      return emit("roots");
    case "login":
      return applyLogin(event.step);
    default:
  }
}

/** Removes a tenth at once, so that removal does not cost time with each record. */
function trim(records, max) {
  if (records.length > max) records.splice(0, records.length - Math.floor(max * 0.9));
}

function applySnapshot(event) {
  const previous = store.state;
  store.state = event.state ?? emptyState;
  store.connections = new Map((event.connections ?? []).map((connection) => [connection.id, connection]));
  store.questions = new Map((event.questions ?? []).map((question) => [question.id, question]));
  store.roots = event.roots ?? [];
  store.messages = (event.messages ?? []).slice(-MAX_MESSAGES);
  store.log = (event.log ?? []).slice(-MAX_LOG);
  emit("state", previous);
  for (const connection of store.connections.values()) emit("connection", connection);
  for (const topic of ["connections", "question", "roots", "messages", "log", "snapshot"]) emit(topic);
}

function applyConnection(connection) {
  store.connections.set(connection.id, connection);
  emit("connection", connection);
  emit("connections");
}

function applyLogin(step) {
  const steps = step.number === 1 ? [] : (store.logins.get(step.connection) ?? []);
  steps[Math.min(Math.max(step.number, 1), 64) - 1] = step;
  store.logins.set(step.connection, steps);
  emit("login", step);
}
