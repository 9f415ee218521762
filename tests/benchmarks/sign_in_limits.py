"""Tries each limit of signing in over two web servers in turns: ``python -m tests.benchmarks.sign_in_limits``.

It prints after how many tries one is refused, by which server, and how long one must wait. Then it prints what the
entitlement endpoint takes beside a bare view: ``tests.benchmarks.entitlement``.
"""

import itertools
from collections.abc import Callable

import httpx

from tests.benchmarks import entitlement, sandbox, stage

PASSWORD = "correct horse battery staple"
SIGN_IN, READ = "/api/v1/auth/token/", "/api/v1/offices/"
MOST_TRIES = 200
Try = Callable[[str, int], httpx.Response]


def main() -> None:
    print(stage.machine())
    stage.on_each_database(measure)
    print("\n-- entitlement", flush=True)
    entitlement.main()


def measure() -> None:
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as stripe:
        stage.set_up_beside(f"http://{stripe.address}")
        make_people("one", "everywhere")
        with stage.web("--workers", "1") as (_, first), stage.web("--workers", "1") as (_, second):
            servers = [f"http://127.0.0.1:{port}" for port in (first, second)]
            print("| Tried | Tries | Refused by server | Retry-After |")
            print("|---|---|---|---|")
            for what, one in TRIED.items():
                print(f"| {what} | {refused(servers, one)} |", flush=True)


def make_people(*names: str) -> None:
    from billing.audit import actor, trail
    from billing.models import User

    with trail.acting(actor.job("benchmark")):
        for name in names:
            User.objects.create_user(f"{name}@practice.example", PASSWORD)


def refused(servers: list[str], one: Try) -> str:
    """Try at the servers in turns until one refuses. Return the cells of the table."""
    for number, (which, server) in enumerate(itertools.cycle(enumerate(servers, 1)), 1):
        answer = one(server, number)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return f"{number} | {which} | {answer.headers['Retry-After']} s"
        if number == MOST_TRIES:
            return f"none of {number} was refused | – | –"
    raise AssertionError("a cycle has no end")


def wrong_password(name: str, *, network: str) -> Try:
    """Return a try with a wrong password. ``{}`` in name and network is the number of the try."""

    def ask(server: str, number: int) -> httpx.Response:
        given = {"email": f"{name.format(number)}@practice.example", "password": f"wrong {number}"}
        return sent("POST", server + SIGN_IN, network.format(number), json=given)

    return ask


def wrong_token(server: str, number: int) -> httpx.Response:
    return sent("GET", server + READ, "203.0.113.9", headers={"Authorization": f"Token {number:064}"})


def sent(
    method: str, address: str, network: str, headers: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    proxied = {"Host": stage.HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": network, **(headers or {})}
    return httpx.request(method, address, headers=proxied, trust_env=False, timeout=30, **more)  # type: ignore[arg-type]


TRIED: dict[str, Try] = {
    "wrong passwords of one account, from one network": wrong_password("one", network="203.0.113.7"),
    "wrong passwords of one account, each from another network": wrong_password("everywhere", network="198.51.100.{}"),
    "signing in to another account each time, from one network": wrong_password("nobody{}", network="203.0.113.8"),
    "wrong API tokens, from one network": wrong_token,
}

if __name__ == "__main__":
    main()
