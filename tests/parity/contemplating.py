"""Contemplates at llama.cpp's server, which serves a small model of random weights: what comes is no sense, but it is what
the protocol says, and each request is in the ledger."""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import models

CONFIG = """
strategy = "{strategy}"
[budget]
seconds = 120
agent_seconds = 60
agent_tokens = 96
answer_tokens = 48
[[endpoint]]
name = "llama-server"
url = "http://127.0.0.1:{port}/v1"
model = "random"
resume = true
"""
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(server, model, folder):
    """The port of a server that answers with `model`."""
    port, log = free_port(), open(folder / "server.log", "w")
    (folder / "template.jinja").write_text(TEMPLATE)
    command = [server, "--model", model, "--port", port, "--parallel", 4, "--ctx-size", 16384, "--no-webui", "--jinja",
               "--skip-chat-parsing", "--chat-template-file", folder / "template.jinja"]
    process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).status == 200:
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit((folder / "server.log").read_text())
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def run(lorgnette, *arguments):
    data = pathlib.Path(arguments[arguments.index("--cloud") + 1]).parent
    environment = {**os.environ, "XDG_DATA_HOME": str(data)}
    done = subprocess.run([str(word) for word in (lorgnette, *arguments)], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr}")
    return json.loads(done.stdout), done.stderr


def contemplate(lorgnette, model, folder, port, strategy):
    config = folder / f"{strategy}.toml"
    config.write_text(CONFIG.format(strategy=strategy, port=port))
    answer, said = run(lorgnette, "ask", "--mode", "contemplating", "--cloud", config, "--consent", "text", "--model", model,
                       "--max-tokens", 8, "--json", "Plan a weekend.")
    ledger, _ = run(lorgnette, "ledger", "--cloud", config, "--json")
    print(f"{strategy}: {answer['source']}, {answer['requests']} requests, {answer['input_tokens']} tokens read, "
          f"{answer['output_tokens']} written; {answer['note']}")
    run(lorgnette, "ledger", "--cloud", config, "--clear", "--json")
    return [f"{strategy}: {message}\n{said}" for message, wrong in [
        ("the answer is not the server's", answer["source"] != "cloud" or not answer["text"]),
        ("tokens were not counted", not answer["input_tokens"] or not answer["output_tokens"]),
        ("the ledger has other requests", len(ledger["sent"]) != answer["requests"]),
        ("not everything was answered", any(record["state"] != "sent" for record in ledger["sent"])),
    ] if wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lorgnette", required=True)
    parser.add_argument("--llama-server", required=True)
    arguments = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "random.gguf"
        models.text(model, layers=2, context=16384)
        with serving(arguments.llama_server, model, folder) as port:
            for strategy in ["plan-and-merge", "refine"]:
                failures += contemplate(arguments.lorgnette, model, folder, port, strategy)
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
