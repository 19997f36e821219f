// Makes a Node program listen on a free port of 127.0.0.1, whatever address it asks for, and print the URL to stderr.
//
// Usage: node --require ./listen_loopback.cjs PROGRAM [ARGS...]

const { Server } = require("node:net");

const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  const callback = args.find((arg) => typeof arg === "function");
  return listen.call(this, 0, "127.0.0.1", () => {
    console.error(`http://127.0.0.1:${this.address().port}`);
    callback?.();
  });
};
