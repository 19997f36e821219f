"""Converts the tools of a stdio MCP server with agent frameworks, as they do for a model, and prints the results.

Usage: host_types.py SERVER_COMMAND [ARGS...]      (needs: pip install -r xtask/interop/hosts.txt)

Prints one JSON object: for each framework an object with the result of each tool. A result is "yes" (or "strict"),
or a text that begins with "loses" (keywords of the schema that the model does not see) or "no" (an error).
"""

import asyncio
import contextlib
import json
import logging
import sys

from agents.mcp import MCPServerStdio, MCPUtil
from google.genai import types
from google.genai._mcp_utils import mcp_to_gemini_tools
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp import ClientSession, StdioServerParameters, stdio_client

logging.disable()

SCHEMAS, LISTS, MAPS = ("items", "additionalProperties"), ("anyOf", "oneOf", "allOf", "prefixItems"), ("properties", "$defs")


def keywords(schema):
    """Returns the keywords that restrict or describe a value, of a schema and its subschemas."""
    if not isinstance(schema, dict):
        return set()
    found = {key for key, value in schema.items() if value not in (None, [], {}, False)}
    for key in SCHEMAS:
        found |= keywords(schema.get(key))
    for key in LISTS:
        for inner in schema.get(key) or []:
            found |= keywords(inner)
    for key in MAPS:
        for inner in (schema.get(key) or {}).values():
            found |= keywords(inner)
    return found


def compared(schema, converted):
    lost = keywords(schema) - keywords(converted)
    return "loses " + ", ".join(f"`{keyword}`" for keyword in sorted(lost)) if lost else "yes"


def failed(error):
    text = str(error).strip().splitlines()
    return f"no: {type(error).__name__}" + (f": {text[0][:80]}" if text and len(text[0]) > 2 else "")


def without_booleans(schema):
    """Removes `additionalProperties: false`, on which google-genai fails (googleapis/python-genai#2476)."""
    if isinstance(schema, list):
        return [without_booleans(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_booleans(value)
        for key, value in schema.items()
        if not (key == "additionalProperties" and isinstance(value, bool))
    }


def with_google(tool):
    def convert(tool):
        (converted,) = mcp_to_gemini_tools([tool])
        (function,) = converted.function_declarations
        return function.parameters.model_dump(mode="json", by_alias=True, exclude_none=True)

    try:
        return compared(tool.inputSchema, convert(tool))
    except Exception as error:
        if "'bool' object has no attribute 'items'" not in str(error):
            return failed(error)
    tool = tool.model_copy(update={"inputSchema": without_booleans(tool.inputSchema)})
    try:
        return compared(tool.inputSchema, convert(tool))
    except Exception as error:
        return failed(error)


async def with_openai_agents(command, args):
    """Returns `strict` for a tool whose arguments the API constrains, and `yes` for another one."""
    async with MCPServerStdio({"command": command, "args": args}) as server:
        tools = await MCPUtil.get_function_tools(server, convert_schemas_to_strict=True, run_context=None, agent=None)
        return {tool.name: "strict" if tool.strict_json_schema else "yes" for tool in tools}


async def main():
    command, *args = sys.argv[1:]
    results = {"openai_agents": await with_openai_agents(command, args)}
    async with contextlib.AsyncExitStack() as stack:
        streams = await stack.enter_async_context(stdio_client(StdioServerParameters(command=command, args=args)))
        session = await stack.enter_async_context(ClientSession(*streams))
        await session.initialize()
        tools = (await session.list_tools()).tools
        results["google_genai"] = {tool.name: with_google(tool) for tool in tools}
        schemas = {tool.name: tool.inputSchema for tool in tools}
        results["langchain"] = {}
        for tool in await load_mcp_tools(session):
            try:
                function = convert_to_openai_tool(tool)["function"]
                results["langchain"][tool.name] = compared(schemas[tool.name], function["parameters"])
            except Exception as error:
                results["langchain"][tool.name] = failed(error)
    json.dump(results, sys.stdout)


asyncio.run(main())
