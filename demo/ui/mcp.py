"""The Model Context Protocol: the endpoints of the API as tools of a language model."""

import json
from typing import Any

import gradio as gr
from mcp import types


def adapt_mcp(page: gr.Blocks) -> None:
    """Name tools as the API does, and give their areas as JSON; call this after the launch.

    Gradio (6.31) names them after functions, takes several outputs for one if the client does not
    ask for progress, writes a dictionary as Python would, and gives no structure.
    """
    gradio_server = page.mcp_server_obj
    assert gradio_server is not None, "the page was launched without MCP"
    endpoints = gradio_server.api_info["named_endpoints"]
    gradio_server.tool_to_endpoint = {
        gradio_server.tool_prefix + endpoint.strip("/"): endpoint for endpoint in endpoints
    }
    gradio_server.postprocess_output_data = _each_output(gradio_server.postprocess_output_data)
    handlers = gradio_server.mcp_server.request_handlers
    handlers[types.CallToolRequest] = _with_structure(handlers[types.CallToolRequest])


def _each_output(describe: Any) -> Any:
    def describe_outputs(outputs: list[Any], root_url: str) -> Any:
        each = outputs[0] if isinstance(outputs[0], list | tuple) else outputs
        return describe([_to_json(output) for output in each], root_url)

    return describe_outputs


def _to_json(output: Any) -> Any:
    is_file = isinstance(output, dict) and "meta" in output
    return json.dumps(output) if isinstance(output, dict) and not is_file else output


def _with_structure(call_tool: Any) -> Any:
    async def call(request: types.CallToolRequest) -> types.ServerResult:
        answer: types.ServerResult = await call_tool(request)
        result = answer.root
        if isinstance(result, types.CallToolResult) and not result.isError:
            result.structuredContent = _read_structure(result.content)
        return answer

    return call


def _read_structure(content: list[types.ContentBlock]) -> dict[str, Any] | None:
    """Read the areas among the parts of an answer; None if it has none."""
    for part in content:
        if isinstance(part, types.TextContent) and part.text.startswith("{"):
            return dict(json.loads(part.text))
    return None
