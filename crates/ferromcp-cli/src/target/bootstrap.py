"""Runs the MCP server object of a Python file on stdio: argv[1] is the file, argv[2] the object or empty."""

import contextlib
import importlib.util
import inspect
import os
import sys

NAMES = ("mcp", "server", "app")


def fail(message):
    sys.exit(f"error: {message}")


def is_server(value):
    modules = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    return bool(modules & {"mcp", "fastmcp"}) and callable(getattr(value, "run", None))


def load(file):
    sys.argv = [file]
    sys.path[0] = os.path.dirname(os.path.abspath(file))
    spec = importlib.util.spec_from_file_location("__mcp_main__", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["__mcp_main__"] = module
    spec.loader.exec_module(module)
    return module


def find(module, file, name):
    if name:
        try:
            value = module
            for part in name.split("."):
                value = getattr(value, part)
        except AttributeError:
            fail(f"cannot find `{name}` in {file}: there is no such object; check the name")
        if not is_server(value) and callable(value):
            value = value()
        if inspect.iscoroutine(value):
            import asyncio

            value = asyncio.run(value)
        if not is_server(value):
            fail(f"cannot run `{name}` of {file}: it is a {type(value).__name__}, not an MCP server; name another object")
        return value
    values = vars(module)
    for name in NAMES:
        if is_server(values.get(name)):
            return values[name]
    servers = {id(value): (name, value) for name, value in values.items() if is_server(value)}
    if len(servers) == 1:
        return next(iter(servers.values()))[1]
    if servers:
        names = ", ".join(f"{file}:{name}" for name, _ in servers.values())
        fail(f"{file} has several server objects; write one of: {names}")
    fail(
        f"cannot find a server object in {file}: no variable is an MCP server; name the object as {file}:OBJECT, or start "
        f"the file as a command, `-- python {file}`"
    )


def run(server):
    if not inspect.iscoroutinefunction(server.run):
        # `fastmcp` prints a banner otherwise.
        quiet = {"show_banner": False} if "show_banner" in inspect.signature(server.run).parameters else {}
        server.run(transport="stdio", **quiet)
        return
    import anyio
    from mcp.server.stdio import stdio_server

    async def serve():
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)


# Output of the file while it is imported would corrupt the protocol.
with contextlib.redirect_stdout(sys.stderr):
    file, name = sys.argv[1:3]
    server = find(load(file), file, name)
run(server)
