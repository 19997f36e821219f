"""Prints the packages of the MCP server of a Python file as JSON, without running the file.

argv[1] is the file, argv[2] the server object or empty.
"""

import ast
import json
import sys

NAMES = ("mcp", "server", "app")
CLASSES = ("FastMCP", "MCPServer")


def tail(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def sdk(modules):
    """Returns the requirement of the SDK that the file imports."""
    roots = {module.partition(".")[0] for module in modules}
    if "fastmcp" in roots:
        return "fastmcp"
    if any(module.startswith("mcp.server.fastmcp") for module in modules):
        return "mcp<2"
    return "mcp" if "mcp" in roots else None


def read(tree, name):
    classes, modules, constants, servers = set(CLASSES), set(), {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
            classes.update(alias.asname for alias in node.names if alias.asname and alias.name in CLASSES)
        elif isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in filter(None, map(tail, targets)):
                constants[target] = node.value
    names = {id(value): name for name, value in constants.items()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and tail(node.func) in classes:
            servers.append((names.get(id(node)), node))
    # The object of the argument, else one with a default name, else all: a function can return any of them.
    wanted = [name.rpartition(".")[2]] if name else NAMES
    chosen = next(([call for _, call in servers if _ == want] for want in wanted if want in dict(servers)), None)
    packages, is_complete = [], True
    for call in chosen or [call for _, call in servers]:
        for keyword in call.keywords:
            if keyword.arg == "dependencies":
                value = keyword.value
                value = constants.get(value.id, value) if isinstance(value, ast.Name) else value
                try:
                    packages.extend(map(str, ast.literal_eval(value) or ()))
                except (ValueError, TypeError):
                    is_complete = False
    return {"packages": list(dict.fromkeys(packages)), "is_complete": is_complete, "sdk": sdk(modules)}


with open(sys.argv[1], "rb") as file:
    print(json.dumps(read(ast.parse(file.read()), sys.argv[2])))
