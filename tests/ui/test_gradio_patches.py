"""What Gradio does by itself, and must not do here."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx
from gradio.routes import App

from demo.ui.gradio_patches import let_generators_end_twice


async def cancel_one_that_ends() -> tuple[int, bool]:
    """Give the status of the answer, and whether Gradio has forgotten the generator."""
    with gr.Blocks() as page:
        gr.Textbox()
    page.app = App.create_app(page)
    let_generators_end_twice(page)

    async def steps() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            del page.app.iterators["event"]  # as the end of the event does

    page.app.iterators["event"] = steps()
    await anext(page.app.iterators["event"])
    body = {"session_hash": "visit", "fn_index": 0, "event_id": "event"}
    transport = httpx.ASGITransport(page.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        status = (await client.post("/gradio_api/cancel", json=body)).status_code
    return status, "event" not in page.app.iterators


def test_a_generator_that_ends_while_it_is_cancelled_is_no_error() -> None:
    with ThreadPoolExecutor(1) as pool:  # a browser test has an event loop in this thread
        assert pool.submit(asyncio.run, cancel_one_that_ends()).result() == (200, True)
