"""The app in a process of its own: hostile requests, and failures of the machine."""

import base64
import contextlib
import json
import os
import pty
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.models.registry import Registry
from demo.server import load_others
from demo.ui.examples import EXAMPLES_FOLDER
from demo.ui.requests import GONE, MISFIT
from demo.variants import VARIANTS
from tests.support import ROOT
from tests.support.corpus import build_corpus
from tests.support.sentences import check_sentence
from tests.support.server import free_port, wait_for

CORPUS = build_corpus()
GOOD = CORPUS["RGB as PNG"]
META = {"_type": "gradio.FileData"}


class App:
    """A running app whose files, converted networks and log lie in one folder.

    Args:
        folder: is made for it.
        command: what Python runs.
    """

    def __init__(self, folder: Path, *command: str) -> None:
        self.command = command
        self.folder, self.log = folder, folder / "log.txt"
        self.graphs = folder / "graphs"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        environment = {
            **os.environ,
            "GRADIO_SERVER_PORT": str(self.port),
            "GRADIO_TEMP_DIR": str(self.folder / "files"),
            "HF_HUB_OFFLINE": "1",
            "SEGMENTATION_CACHE": str(self.graphs),
        }
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        try:
            wait_for(self.address, self.process, self.log)
            for _ in range(600):
                if self.ask("/healthz")[0] == 200:
                    return
                time.sleep(0.2)
            pytest.fail(f"the app did not become ready: {self.ask('/healthz')[1]}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def upload(self, content: bytes, name: str = "photo.png") -> tuple[int, str]:
        seam = uuid.uuid4().hex
        head = (
            f'--{seam}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        )
        body = head.encode() + content + f"\r\n--{seam}--\r\n".encode()
        kind = f"multipart/form-data; boundary={seam}"
        return self.ask("/gradio_api/upload", body, **{"Content-Type": kind})

    def upload_path(self, content: bytes, name: str = "photo.png") -> str:
        status, answer = self.upload(content, name)
        assert status == 200, answer
        return str(json.loads(answer)[0])

    def join(self, *values: Any) -> str:
        """Request a segmentation; give the address of its result."""
        body = json.dumps({"data": values}).encode()
        path = "/gradio_api/call/segment"
        status, answer = self.ask(path, body, **{"Content-Type": "application/json"})
        assert status == 200, answer
        return f"{path}/{json.loads(answer)['event_id']}"

    def segment(self, photo: Any, variant: Any = "xxs", framing: Any = "whole") -> Any:
        """Give the API's answer: a list, or the sentence of an error."""
        status, answer = self.ask(self.join(photo, variant, framing))
        assert status == 200
        last = answer.strip().split("\n\n")[-1]  # heartbeats come before it
        kind, content = last.removeprefix("event: ").split("\ndata: ", 1)
        found = json.loads(content)
        return found if kind == "complete" else found["error"]

    def is_well(self) -> bool:
        path = self.upload_path(GOOD)
        return isinstance(self.segment({"path": path, "meta": META}), list)

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def run(folder: Path, *command: str) -> Iterator[App]:
    app = App(folder, *command)
    try:
        yield app
    finally:
        app.stop()
    assert "Traceback" not in app.log.read_text()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with an engine that needs no weights."""
    with run(tmp_path_factory.mktemp("app"), "-m", "tests.support.fake_app") as app:
        yield app


@pytest.fixture(scope="module")
def bundled_app(
    tmp_path_factory: pytest.TempPathFactory, shared_folder: Path, converted: None
) -> Iterator[App]:
    """The app with the bundled checkpoints, converted before, as on any but the first start."""
    folder = tmp_path_factory.mktemp("bundled-app")
    in_the_making = shutil.ignore_patterns("new-*")
    shutil.copytree(shared_folder / "graphs", folder / "graphs", ignore=in_the_making)
    with run(folder, "app.py") as app:
        yield app


def start_on_terminal(folder: Path, **variables: str) -> tuple[int, list[str]]:
    """Start the app on a terminal, stop it once it has said its address; give status and lines."""
    ours, its = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if name != "GRADIO_SERVER_PORT"},
        "GRADIO_TEMP_DIR": str(folder / "files"),
        "HF_HUB_OFFLINE": "1",
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=its, stderr=its
    )
    os.close(its)
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    said = b""
    with contextlib.suppress(OSError):  # the terminal closes with the process
        while piece := os.read(ours, 4096):
            said += piece
            if b"The page is at" in said:
                process.terminate()
    os.close(ours)
    watchdog.cancel()
    return process.wait(30), said.decode().splitlines()


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Hold a port; somebody else may hold it already."""
    with socket.socket() as listener:
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen()
        yield


def test_a_start_on_a_terminal_tells_weights_busy_port_and_address_a_line_each(
    bundled_app: App, tmp_path: Path
) -> None:
    with occupied(7860):
        _, (weights, busy, address, *rest) = start_on_terminal(
            tmp_path, SEGMENTATION_CACHE=str(bundled_app.graphs)
        )
    if weights != "The weights are not loaded yet; the page shows how far they are.":  # too busy
        assert weights.startswith("MobileViT-") and "HF_HUB_OFFLINE" in weights
    port = urlsplit(address.removeprefix("The page is at ")).port
    assert busy == f"Port 7860 is taken by another program, so the page is on port {port}."
    assert rest == ["stopping under_way=0"]


def test_a_port_that_was_asked_for_and_is_taken_ends_the_start_with_a_sentence(
    app: App, tmp_path: Path
) -> None:
    status, lines = start_on_terminal(tmp_path, GRADIO_SERVER_PORT=str(app.port))
    assert status == 1
    assert lines == [
        f"Port {app.port} is taken by another program. Stop that program, or set "
        "GRADIO_SERVER_PORT to another port."
    ]


def test_the_log_tells_once_for_each_variant_why_the_hub_gave_nothing(bundled_app: App) -> None:
    start = bundled_app.log.read_text().partition("The page is at")[0]
    lacks = [line for line in start.splitlines() if "gave no" in line]
    mentions = {
        each.key: sum(each.checkpoint + ":" in line or each.label + ":" in line for line in lacks)
        for each in VARIANTS.values()
    }
    assert mentions == {"xxs": 1, "xs": 1, "s": 1}


def test_the_other_variants_are_loaded_once_nobody_asks_for_anything(registry: Registry) -> None:
    busy, stop = threading.Event(), threading.Event()
    busy.set()
    loading = threading.Thread(
        target=load_others, args=(registry, lambda: not busy.is_set(), stop, 0.1)
    )
    loading.start()
    time.sleep(0.5)
    assert registry.states() == {}
    busy.clear()
    loading.join(10)
    assert registry.states() == dict.fromkeys(VARIANTS, "loaded")


def test_loading_the_other_variants_ends_with_the_server(registry: Registry) -> None:
    stop = threading.Event()
    stop.set()
    load_others(registry, lambda: True, stop, 60)
    assert registry.states() == {}


def as_url(content: bytes) -> dict[str, Any]:
    return {"url": "data:image/png;base64," + base64.b64encode(content).decode(), "path": None}


def test_each_uploaded_file_of_the_corpus_gives_areas_or_a_sentence(app: App) -> None:
    for name, content in CORPUS.items():
        path = app.upload_path(content, f"{uuid.uuid4()}.jpg")
        answer = app.segment({"path": path, "meta": META})
        if isinstance(answer, str):
            check_sentence(answer)
        else:
            assert answer[2]["areas"], name


def test_each_data_url_of_the_corpus_gives_areas_or_a_sentence(app: App) -> None:
    for content in list(CORPUS.values())[::9]:
        answer = app.segment(as_url(content))
        if isinstance(answer, str):
            check_sentence(answer)


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        (None, "There is no image"),
        ({"url": "data:image/png,plain", "path": None}, "not base64"),
        ({"url": "data:image/png;base64,@@@@", "path": None}, "damaged base64"),
        ({"path": "http://127.0.0.1:1/x.png", "meta": META}, "not fetched from addresses"),
        ({"path": "ftp://127.0.0.1/x.png", "meta": META}, ""),
        ({"path": "/etc/passwd", "meta": META}, MISFIT),
        ({"path": "../../app.py", "meta": META}, MISFIT),
        ({"path": "x", "url": "file:///etc/passwd", "meta": META}, MISFIT),
        ("http://127.0.0.1:1/x.png", MISFIT),
        ([1, 2], MISFIT),
        ({"path": 7, "meta": META}, MISFIT),
    ],
    ids=repr,
)
def test_a_value_that_is_not_a_photo_gives_a_sentence(app: App, photo: Any, sentence: str) -> None:
    answer = app.segment(photo)
    check_sentence(answer)
    assert sentence in answer


@pytest.mark.parametrize(
    "variant", ["xl", "", 3, {"a": 1}, ["xxs"], "x" * 5000], ids=lambda v: repr(v)[:9]
)
def test_an_unknown_variant_or_framing_gives_a_sentence(app: App, variant: Any) -> None:
    photo = {"path": app.upload_path(GOOD), "meta": META}
    if variant:
        assert "Choose" in app.segment(photo, variant=variant)
    assert "Choose" in app.segment(photo, framing=variant)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data": 7}', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_not_the_expected_json_gives_a_sentence(app: App, body: bytes) -> None:
    status, answer = app.ask(
        "/gradio_api/call/segment", body, **{"Content-Type": "application/json"}
    )
    assert status in (400, 413, 422)
    check_sentence(json.loads(answer)["detail"])


NAMES = [
    "../../etc/passwd",
    'a\\"b.png',
    "x" * 4000 + ".png",
    "Grüße ☃ 猫.png",
    "a/b\\c.png",
    "con",
]


@pytest.mark.parametrize("name", [*NAMES, "", "-rf", "%2e%2e", " "], ids=lambda n: n[:9])
def test_an_upload_of_any_name_is_stored_inside_the_folder_of_uploads(app: App, name: str) -> None:
    path = Path(app.upload_path(GOOD, name))
    assert (app.folder / "files") in path.resolve().parents
    assert isinstance(app.segment({"path": str(path), "meta": META}), list)


@pytest.mark.parametrize("name", [".."])
def test_a_name_that_means_a_folder_gives_a_sentence(app: App, name: str) -> None:
    status, answer = app.upload(GOOD, name)
    assert status == 400
    check_sentence(json.loads(answer)["detail"])


def test_other_files_of_the_machine_are_not_served(app: App) -> None:
    (app.folder / "secret.txt").write_text("secret")
    files = str(app.folder / "files")
    for path in (
        "/etc/passwd",
        "/proc/self/environ",
        str(ROOT / "app.py"),
        str(ROOT / "README.md"),
        str(ROOT / "demo" / "ui" / "viewer" / ".." / "page.py"),
        "demo/ui/page.py",
        files,
        f"{files}/../secret.txt",
        f"{files}/..%2fsecret.txt",
        f"{files}/%2e%2e/secret.txt",
    ):
        assert app.ask(f"/gradio_api/file={path}")[0] in (403, 404), path


def test_files_of_others_cannot_be_guessed_or_listed(app: App) -> None:
    photo = {"path": app.upload_path(GOOD), "meta": META}
    overlay, *_ = app.segment(photo)
    folder, name = Path(overlay["path"]).parent, Path(overlay["path"]).name
    assert len(folder.name.removeprefix("segmentation-")) >= 8
    assert app.ask(f"/gradio_api/file={folder}")[0] == 403
    assert app.ask(f"/gradio_api/file={folder.parent}/segmentation-aaaaaaaa/{name}")[0] == 403


@pytest.mark.parametrize("host", ["localhost", "demo.hf.space"])
def test_requests_of_other_pages_are_refused(app: App, host: str) -> None:
    assert app.ask("/config", Host=host, Origin=f"https://{host}")[0] == 200
    for origin in ("https://evil.test", "null"):
        assert app.ask("/config", Host=host, Origin=origin)[0] == 403


def test_only_spaces_may_show_the_page_in_a_frame(app: App) -> None:
    with urllib.request.urlopen(app.address, timeout=10) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co" in policy
    assert "default-src 'self'" in policy


def ask_as_visit(app: App, session: str, photo: Any) -> str:
    """Change the photo of a page as its script does; give what the server streams back."""
    config = json.loads(app.ask("/config")[1])
    segment = next(
        number
        for number, each in enumerate(config["dependencies"])
        if len(each["inputs"]) == 3 and len(each["outputs"]) == 4
    )
    body = {"data": [photo, "xxs", "whole"], "fn_index": segment, "session_hash": session}
    kind = {"Content-Type": "application/json"}
    assert app.ask("/gradio_api/queue/join", json.dumps(body).encode(), **kind)[0] == 200
    return app.ask(f"/gradio_api/queue/data?session_hash={session}")[1]


def test_a_visit_can_delete_neither_examples_nor_folders(app: App) -> None:
    """A visit's files are deleted when it ends; `Visits.sweep` has tests of its own."""
    assert "took" in ask_as_visit(app, "one", {"example": "astronaut"})
    assert "no such example" in ask_as_visit(app, "one", {"example": "../checkpoints"})
    example = EXAMPLES_FOLDER / "astronaut.jpg"
    for path in (example, app.folder / "files", ROOT / "demo" / "ui" / "viewer"):
        assert MISFIT in ask_as_visit(app, "two", {"path": str(path), "meta": META})
        assert "took" not in ask_as_visit(app, "three", {"path": str(path)})
    assert example.exists()


def test_a_deleted_upload_must_be_chosen_again(app: App) -> None:
    upload = Path(app.upload_path(GOOD))
    upload.unlink()
    assert app.segment({"path": str(upload), "meta": META}) == GONE
    outside = upload.parent / ".." / ".." / ".." / "gone.png"
    assert app.segment({"path": str(outside), "meta": META}) == MISFIT


def test_the_page_fetches_no_address(app: App) -> None:
    photo = {"path": "http://127.0.0.1:1/x.png", "meta": META}
    assert "not fetched from addresses" in ask_as_visit(app, "three", photo)


def test_clients_that_vanish_or_crawl_do_not_block_others(app: App) -> None:
    assert app.is_well()
    before = app.open_files()
    sockets = []
    head = "POST /gradio_api/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    for number in range(40):
        client = socket.create_connection(("127.0.0.1", app.port), timeout=5)
        client.sendall(head.encode() if number % 2 else b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        sockets.append(client)
    started = time.monotonic()
    assert app.ask("/")[0] == 200 and time.monotonic() - started < 5
    assert app.is_well()
    for client in sockets:
        client.close()
    for _ in range(100):
        if app.open_files() <= before + 3:
            break
        time.sleep(0.1)
    assert app.open_files() <= before + 3


def test_a_removed_folder_of_files_is_made_again(app: App) -> None:
    shutil.rmtree(app.folder / "files")
    assert app.ask("/healthz")[0] == 200
    assert app.is_well()


def test_a_full_disk_gives_a_sentence_and_the_server_goes_on(app: App) -> None:
    """A limit on the size of files makes writes fail, as a full disk does."""
    large = GOOD + bytes(300_000)
    path = app.upload_path(GOOD)
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    try:
        status, answer = app.upload(large)
        assert (status, answer) == (507, "The server cannot store files now. Try again later.")
        check_sentence(app.segment({"path": path, "meta": META}))
        assert app.ask("/")[0] == 200
    finally:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert app.is_well()


def test_the_server_starts_again_after_being_killed_under_load(app: App) -> None:
    photo = {"path": app.upload_path(GOOD), "meta": META}

    def ask() -> None:
        while True:
            try:
                app.segment(photo)
            except (OSError, AssertionError, ValueError, HTTPException):
                return

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    time.sleep(1)
    app.stop()
    for caller in callers:
        caller.join(60)
    app.start()
    assert app.is_well()


def test_saved_graphs_damaged_while_the_server_runs_do_no_harm(bundled_app: App) -> None:
    """The server has read the graphs already; it compiles each size of input at its first use."""
    photo = {"path": bundled_app.upload_path(CORPUS["20000×1"]), "meta": META}
    assert isinstance(bundled_app.segment(photo), list)
    graphs = list(bundled_app.graphs.rglob("*.bin"))
    assert graphs
    for file in graphs:
        os.truncate(file, 0)
    for framing in ("aspect", "crop"):
        assert isinstance(bundled_app.segment(photo, framing=framing), list)


def test_sigterm_finishes_running_work_and_stops(app: App) -> None:
    photo = {"path": app.upload_path(CORPUS["RGB as BMP"]), "meta": META}
    results = [app.join(photo, "xxs", "whole") for _ in range(6)]
    app.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    answers: list[str] = []
    callers = [
        threading.Thread(target=lambda path=path: answers.append(app.ask(path)[1]))
        for path in results
    ]
    for caller in callers:
        caller.start()
    assert app.process.wait(10) == 0
    assert time.monotonic() - started < 10
    for caller in callers:
        caller.join(10)
    assert sum("event: complete" in answer for answer in answers) == 6
