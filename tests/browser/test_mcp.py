"""The tools, as the official MCP client sees them."""

import base64
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio.from_thread
import pytest
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

from tests.support.browser import ASTRONAUT, CAT

PHOTO = "data:image/jpeg;base64," + base64.b64encode(ASTRONAUT.read_bytes()).decode()
T = TypeVar("T")


def ask(server: str, question: Callable[[ClientSession], Awaitable[T]]) -> T:
    """Run one question in a session; Playwright has the event loop of this thread."""

    async def run() -> T:
        async with (
            streamable_http_client(f"{server}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await question(session)

    with anyio.from_thread.start_blocking_portal() as portal:
        return portal.call(run)


def call(server: str, tool: str, **arguments: Any) -> types.CallToolResult:
    return ask(server, lambda session: session.call_tool(tool, arguments))


def test_the_endpoints_are_tools_whose_arguments_are_described(server: str) -> None:
    tools = {tool.name: tool for tool in ask(server, lambda session: session.list_tools()).tools}
    assert set(tools) == {"segment", "background", "segment_many"}
    for tool in tools.values():
        assert tool.description
        for name, schema in tool.inputSchema["properties"].items():
            assert schema["description"], name


def test_a_file_comes_back_as_pictures_and_as_areas_in_text_and_structure(server: str) -> None:
    result = call(server, "segment", image=PHOTO, variant="xxs")
    assert not result.isError
    kinds = [part.type for part in result.content]
    assert kinds == ["image", "text", "image", "text", "text"]
    areas = result.structuredContent
    assert areas is not None and areas["variant"] == "xxs"
    person = next(area for area in areas["areas"] if area["class_name"] == "person")
    assert 0.3 < person["fraction"] < 0.6
    text = result.content[-1]
    assert isinstance(text, types.TextContent) and '"class_name": "person"' in text.text


def test_a_background_is_replaced(server: str) -> None:
    result = call(server, "background", image=PHOTO, keep=["person"], background="transparent")
    assert not result.isError
    assert result.content[0].type == "image"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({"image": "data:image/jpeg;base64,AAAA"}, "cannot be read", id="no image"),
        pytest.param({"image": PHOTO, "variant": "m"}, "not one of", id="unknown variant"),
        pytest.param({"image": str(CAT)}, "Invalid file", id="a path of the server"),
        pytest.param(
            {"image": "http://127.0.0.1:1/cat.jpg"}, "Upload the file", id="an address to fetch"
        ),
    ],
)
def test_a_refusal_is_a_sentence(server: str, arguments: dict[str, str], says: str) -> None:
    result = call(server, "segment", **arguments)
    assert result.isError and result.structuredContent is None
    text = result.content[0]
    assert isinstance(text, types.TextContent) and says in text.text


def test_there_is_nothing_without_the_setting(server_without_s: str) -> None:
    request = urllib.request.Request(f"{server_without_s}/gradio_api/mcp/", b"{}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 404
    refused.value.close()
