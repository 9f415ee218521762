"""A passkey in software: what a browser and its authenticator answer to our pages.

Source: https://www.w3.org/TR/webauthn-2/#sctn-generating-an-attestation-object (attestation "none") and
https://www.w3.org/TR/webauthn-2/#sctn-op-get-assertion
"""

import hashlib
import json
import secrets
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

ORIGIN = "http://testserver"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftKey:
    """``verifies``: the key asks for a PIN or a finger, so it can stand for the password too."""

    def __init__(self, *, verifies: bool = True, origin: str = ORIGIN) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.flags = PRESENT | (VERIFIED if verifies else 0)
        self.origin = origin
        self.user = b""

    def create(self, options: dict[str, Any]) -> str:
        """Return the answer to a page that adds a key, as the form's ``credential``."""
        asked = options["publicKey"]
        self.user = asked["user"]["id"]
        public = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        about_key = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + about_key
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        response = {"attestationObject": websafe_encode(attestation), "clientDataJSON": websafe_encode(client)}
        return self._answer(response, {"credProps": {"rk": bool(self.flags & VERIFIED)}})

    def get(self, options: dict[str, Any]) -> str:
        """Return the answer to a page that asks for a key."""
        asked = options["publicKey"]
        data, client = self._data(asked["rpId"], self.flags), self._client("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "authenticatorData": websafe_encode(data),
                "clientDataJSON": websafe_encode(client),
                "signature": websafe_encode(signature),
                "userHandle": self.user,
            },
            {},
        )

    def _data(self, site: str, flags: int) -> bytes:
        return hashlib.sha256(site.encode()).digest() + struct.pack(">BI", flags, 0)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, Any], extensions: dict[str, Any]) -> str:
        name = websafe_encode(self.id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )
