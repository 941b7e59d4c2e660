"""Secrets of every form that a host may hold, for planting: each time others.

`plant(source)` gives (line, secret) of each form; the secret is what may nowhere be found again.
"""

import string

_WORD = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"

# What stands around a secret, what it begins with, and what it is made of. `{}` is the secret.
FORMS = (
    # Known by their form.
    ("got {} from aws", "AKIA", string.ascii_uppercase + "234567", 16),
    ("key {}", "AGE-SECRET-KEY-1", string.ascii_uppercase, 40),
    ("got {}", "ATATT3", _WORD, 30),
    ("client {} refused", "abc8Q~", _WORD, 34),
    ("{}", "dapi", _HEX, 32),
    ("{}", "dop_v1_", _HEX, 64),
    ("{}", "dckr_pat_", _WORD, 27),
    ("pull with {}", "ghp_", _WORD, 36),
    ("pull with {}", "github_pat_", _WORD, 40),
    ("pull with {}", "glpat-", _WORD, 20),
    ("maps {}", "AIzaSy", _WORD, 33),
    ("{}", "ya29.", _WORD, 40),
    ("{}", "GOCSPX-", _WORD, 28),
    ("{}", "glsa_", _WORD, 40),
    ("{}", "gsk_", _WORD, 52),
    ("vault {}", "hvs.", _WORD, 24),
    ("pull {}", "hf_", _WORD, 34),
    ("jwt {}", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi", _WORD, 24),
    ("{}", "key-", _HEX, 32),
    ("{}", "npm_", _WORD, 36),
    ("{}", "nvapi-", _WORD, 64),
    ("{}", "pypi-AgEIcHlwaS5vcmc", _WORD, 40),
    ("{}", "r8_", _WORD, 37),
    ("{}", "SG.abcdefghijklmnopqr.", _WORD, 43),
    ("{}", "shpat_", _HEX, 32),
    ("slack {}", "xoxb-1234567890-", _WORD, 24),
    ("POST https://hooks.slack.com/services/T0/B0/{}", "", _WORD, 24),
    ("openai {}", "sk-proj-", _WORD, 40),
    ("stripe {}", "sk_live_", _WORD, 24),
    ("{}", "tskey-auth-", _WORD, 24),
    ("{}", "1234567890:AA", _WORD, 33),
    ("{}", "SK", _HEX, 32),
    ("root:{}:19000:0", "$6$abcdefgh$", _WORD, 86),
    # Known by a name.
    ("password: {}", "", _WORD, 9),
    ("the password is {}", "", _WORD, 9),
    ("token={}", "", _WORD, 9),
    ("token: {}", "t0", _WORD, 9),
    ("HF_TOKEN={}", "", _WORD, 9),
    ('{{"api_key": "{}"}}', "", _WORD, 9),
    ("Authorization: Bearer {}", "", _WORD, 20),
    ("Authorization: Basic {}", "", _WORD, 20),
    ("X-Auth-Token: {}", "", _WORD, 12),
    ("Cookie: session={}", "", _WORD, 12),
    ('env="map[A:1 CLIENT_SECRET:{} B:2]"', "", _WORD, 12),
    ("GET /v1?access_token={} HTTP/1.1", "", _WORD, 12),
    ("https://me:{}@proxy:3128/", "", _WORD, 9),
    ("postgres://me:{}@db/x", "", _WORD, 9),
    ("me:{}@tcp(db:3306)/x", "", _WORD, 9),
    ("AccountKey={};x", "", _WORD, 40),
    # Known by the program that takes them.
    ("run: mysql -h db -p{} prod", "", _WORD, 9),
    ("run: sshpass -p {} ssh host", "", _WORD, 9),
    ("run: docker login -u me -p {} registry", "", _WORD, 9),
    ("run: curl -u me:{} https://host/", "", _WORD, 9),
    ("run: redis-cli -a {} ping", "", _WORD, 9),
    ("run: server -p {} --port 1", "p0", _WORD, 9),
    ("run: serve --api-key {}", "", _WORD, 9),
    ("-----BEGIN OPENSSH PRIVATE KEY-----{}-----END OPENSSH PRIVATE KEY-----", "", _WORD, 70),
)


def plant(source):
    """A line of each form, and its secret. `source` is a random.Random."""
    for around, begin, letters, length in FORMS:
        # A digit, as any generated one has.
        rest = "".join(source.choice(letters) for _ in range(length - 1)) + "7"
        yield around.format(begin + rest), rest
