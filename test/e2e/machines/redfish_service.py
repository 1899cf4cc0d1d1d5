"""The Redfish service of sushy-tools for machines of a test: whoever reads or switches their power asks the machine room.

The emulator's own machines change their power a random while after they were told to, and only when somebody looks: a proof
can't rest on that. Arguments: a JSON file with `listen` (port), `room` (URL of the machine room), `systems` (name and UUID
of each), `user`, `password`, `cert`, `key` and `folder` (for its state).
"""

import json
import os
import ssl
import sys
import urllib.request

import bcrypt

with open(sys.argv[1], encoding="utf8") as file:
    settings = json.load(file)

accounts = os.path.join(settings["folder"], "htpasswd")
with open(accounts, "w", encoding="utf8") as file:
    # The cheapest that there is: it is worked out again at each request.
    hashed = bcrypt.hashpw(settings["password"].encode(), bcrypt.gensalt(rounds=4)).decode()
    file.write(f"{settings['user']}:{hashed}\n")

from sushy_tools import error  # noqa: E402
from sushy_tools.emulator import main as emulator  # noqa: E402
from sushy_tools.emulator.resources.systems import fakedriver  # noqa: E402


def ask(method, path):
    request = urllib.request.Request(f"{settings['room']}/{path}", method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class MachineRoomDriver(fakedriver.FakeDriver):
    """Knows no power of its own."""

    def get_power_state(self, identity):
        name = self._get(identity)["name"]
        return {"on": "On", "off": "Off"}[ask("GET", name)["power"]]

    def set_power_state(self, identity, state):
        name = self._get(identity)["name"]
        if state == "ForceOff":
            ask("POST", f"{name}/off")
        elif state in ("On", "ForceOn"):
            ask("POST", f"{name}/on")
        else:
            raise error.NotSupportedError(f"{state} is not for these machines")


fakedriver.FakeDriver = MachineRoomDriver

app = emulator.app
app.configure(
    extra_config={
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_AUTH_FILE": accounts,
        "SUSHY_EMULATOR_STATE_DIR": settings["folder"],
        "SUSHY_EMULATOR_FAKE_SYSTEMS": [
            {"uuid": system["uuid"], "name": system["name"], "power_state": "On", "nics": []}
            for system in settings["systems"]
        ],
    }
)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(settings["cert"], settings["key"])
app.run(host="127.0.0.1", port=settings["listen"], ssl_context=tls, threaded=True)
