"""What a TLS handshake chooses: suites, groups, signatures and ALPN, as kube-apiserver v1.36.3 chose for the same offers of
`openssl s_client`; and the flags that narrow it."""

import shutil
import subprocess

import pytest

import conftest

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="asks with openssl s_client")
pytestmark = needs_openssl
AES128, AES256, CHACHA = (f"ECDHE-RSA-{s}" for s in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"))
T128, T256, TCHACHA = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"


def rsa_pair(directory):
    cert, key = directory / "rsa.crt", directory / "rsa.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=apisim", "-days", "2",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return [f"--tls-cert-file={cert}", f"--tls-private-key-file={key}"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return rsa_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, pair):
    server = conftest.start(tmp_path_factory.mktemp("tls"), *pair)
    yield server
    conftest.stop(server)


def ask(server, args):
    """What s_client says of the handshake."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *args.split()]
    out = subprocess.run(command, input=b"", capture_output=True, timeout=60).stdout.decode(errors="replace")
    wanted = {"New": "suite", "Server Temp Key": "group", "Peer signing digest": "digest", "Peer signature type": "key",
              "ALPN protocol": "alpn"}
    said = {}
    for line in out.split("\n"):
        for prefix, name in wanted.items():
            if line.startswith(prefix):
                said[name] = line[len(prefix):].lstrip(":, ").split(", Cipher is ")[-1].split(",")[0 if name == "group" else -1]
    return said


@pytest.mark.parametrize("offer, chosen", [
    ("-tls1_2", AES128),
    (f"-tls1_2 -cipher {AES256}:{AES128}", AES128),
    (f"-tls1_2 -cipher {CHACHA}:{AES128}", CHACHA),
    (f"-tls1_2 -cipher {AES256}:{CHACHA}", AES256),
    (f"-tls1_2 -cipher AES128-SHA:{AES128}:{CHACHA}", CHACHA),  # its first is none of AES-GCM
    (f"-tls1_2 -cipher ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"),
    ("-tls1_2 -cipher AES128-GCM-SHA256", "(NONE)"),
    ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "(NONE)"),
    ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "(NONE)"),
    ("-tls1_1 -cipher ALL:@SECLEVEL=0", "(NONE)"),
    (f"-tls1_3 -ciphersuites {T256}:{T128}", T128),
    (f"-tls1_3 -ciphersuites {T256}:{TCHACHA}", T256),
    (f"-tls1_3 -ciphersuites {TCHACHA}:{T256}", TCHACHA),
    (f"-ciphersuites TLS_AES_128_CCM_SHA256:{TCHACHA}:{T128}", TCHACHA),
])
def test_suites(server, offer, chosen):
    assert ask(server, offer)["suite"] == chosen


@pytest.mark.parametrize("offer, chosen", [
    ("-tls1_3 -groups P-384:X25519", "ECDH"),  # a share is worth more than the order
    ("-tls1_3 -groups X448:P-521:P-384", "ECDH"),
    ("-tls1_3 -groups X448:X25519", "X25519"),
    ("-tls1_2 -groups P-256:X25519", "ECDH"),  # the client's order
    ("-tls1_2 -groups X25519:P-256", "X25519"),
])
def test_groups(server, offer, chosen):
    assert ask(server, offer)["group"] == chosen


@pytest.mark.parametrize("offer, chosen", [
    ("-tls1_3 -sigalgs RSA-PSS+SHA512:RSA-PSS+SHA256", ("SHA512", "RSA-PSS")),
    ("-tls1_2 -sigalgs RSA+SHA256:RSA-PSS+SHA256", ("SHA256", "RSA")),
    ("-tls1_2 -sigalgs RSA+SHA224:RSA+SHA384", ("SHA384", "RSA")),
    ("-tls1_2 -sigalgs RSA+SHA1 -cipher DEFAULT:@SECLEVEL=0", (None, None)),
    ("-tls1_3 -sigalgs RSA+SHA512", (None, None)),
])
def test_signatures(server, offer, chosen):
    said = ask(server, offer)
    assert (said.get("digest"), said.get("key")) == chosen


@pytest.mark.parametrize("offer, chosen", [("http/1.1,h2", "h2"), ("http/1.1", "http/1.1"), ("foo,h2", "h2"), ("foo", None)])
def test_alpn(server, offer, chosen):
    said = ask(server, f"-tls1_2 -alpn {offer}")
    assert said.get("alpn") == chosen and (said["suite"] == "(NONE)") == (chosen is None)


@pytest.mark.parametrize("flags, offer, chosen", [
    ("--tls-min-version=VersionTLS13", "-tls1_2", "(NONE)"),
    ("--tls-min-version=VersionTLS13", "-tls1_3", T128),
    ("--tls-min-version=VersionTLS11", "-tls1_1 -cipher ALL:@SECLEVEL=0", "ECDHE-RSA-AES128-SHA"),
    ("--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_CBC_SHA", "-tls1_2 -cipher AES128-SHA",
     "AES128-SHA"),
    ("--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", f"-tls1_2 -cipher {AES256}", "(NONE)"),
    ("--tls-cipher-suites=TLS_AES_128_GCM_SHA256 --disable-http2-serving", "-tls1_2", "(NONE)"),
    ("--tls-cipher-suites=TLS_AES_128_GCM_SHA256 --disable-http2-serving", f"-tls1_3 -ciphersuites {T256}", T256),
    ("--tls-curve-preferences=24", "-tls1_3 -groups X25519", "(NONE)"),
    ("--tls-curve-preferences=24", "-tls1_3 -groups X25519:P-384", T128),
])
def test_flags(tmp_path, pair, flags, offer, chosen):
    server = conftest.start(tmp_path, *pair, *flags.split())
    try:
        assert ask(server, offer)["suite"] == chosen
    finally:
        conftest.stop(server)


@pytest.mark.parametrize("flag, words", [
    ("--tls-min-version=foo", 'unknown tls version "foo"'),
    ("--tls-cipher-suites=foo", "Cipher suite foo not supported or doesn't exist"),
    ("--tls-curve-preferences=1", "curve preference 1 is not supported by the current Go version"),
    ("--tls-curve-preferences=23,23", "duplicate curve preference 23"),
    ("--tls-curve-preferences=70000", "curve preference 70000 is out of range (must be 1-65535)"),
    ("--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
     "http2: TLSConfig.CipherSuites is missing an HTTP/2-required AES_128_GCM_SHA256 cipher"),
])
def test_flags_refused(tmp_path, flag, words):
    with pytest.raises(RuntimeError) as e:
        conftest.start(tmp_path, flag)
    assert words in str(e.value)


def serial(server):
    out = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}"], input=b"", capture_output=True, timeout=60)
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=out.stdout, capture_output=True).stdout


def test_certificates_are_read_again(tmp_path):
    """A new pair is served without a restart; half of one is not taken, and the old one serves on."""
    flags = rsa_pair(tmp_path)
    server = conftest.start(tmp_path, *flags)
    try:
        first, log = serial(server), server.log
        (tmp_path / "new").mkdir()
        rsa_pair(tmp_path / "new")
        (tmp_path / "new" / "rsa.crt").replace(tmp_path / "rsa.crt")
        conftest.wait_for(lambda: "certificates are not taken over" in log.read_text())
        assert serial(server) == first
        (tmp_path / "new" / "rsa.key").replace(tmp_path / "rsa.key")
        conftest.wait_for(lambda: "certificates were read again" in log.read_text())
        assert serial(server) not in (first, b"")
    finally:
        conftest.stop(server)
