"""The provider that costs least: nginx answers every request with 201 and a sid of its own.

On `url` at once, on `slow_url` after 100 ms. It counts what it has answered.
"""
import os
import shutil
import subprocess
import tempfile
import urllib.request

from checks import eventually
from cluster import free_port
from system import die_with_parent, runs_as

ECHO = "/usr/lib/nginx/modules/ngx_http_echo_module.so"
ANSWER = '{"sid":"SM$request_id","status":"queued"}'

CONFIG = """
{module}
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_buffer_size 16k; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  default_type application/json;
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 201 '{answer}'; }}
    location = /stub_status {{ stub_status; }} }}
  {slow}
}}
"""
SLOW = """server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ echo_status 201; echo_sleep 0.1; echo '{answer}'; }} }}"""


class Stub:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="fan-stub-", dir="/tmp")
        user = runs_as()
        if user:
            os.chown(self.folder, user["user"], user["group"])
        port, slow = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.slow_url = f"http://127.0.0.1:{slow}" if os.path.exists(ECHO) else None
        self.config = os.path.join(self.folder, "nginx.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(
                folder=self.folder, port=port, answer=ANSWER,
                module=f"load_module {ECHO};" if self.slow_url else "",
                slow=SLOW.format(port=slow, answer=ANSWER) if self.slow_url else ""))

    def __enter__(self):
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [nginx, "-c", self.config, "-e", os.path.join(self.folder, "error.log")],
            cwd="/", preexec_fn=die_with_parent, **runs_as())

        def answers():
            try:
                return self._asked() > 0
            except OSError:
                return False
        eventually(answers, 10, "nginx answers")
        self.base = self._asked()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _asked(self):
        with urllib.request.urlopen(self.url + "/stub_status", timeout=10) as answer:
            return int(answer.read().decode().split("\n")[2].split()[2])

    def count(self):
        """Requests answered since the last call of count."""
        asked = self._asked()
        since, self.base = asked - self.base - 1, asked
        return since

    @property
    def pid(self):
        return self.process.pid
