"""Both Python clients and the command line against a gRPC server with TLS that asks for a certificate and a token."""

import asyncio
import concurrent.futures
import dataclasses
import pathlib
import subprocess
import tempfile
import unittest

import grpc
import rondo
import rondo.aio
from certificates import Authority
from rondo.v1 import models_pb2
from server_process import BIN, ServerProcess


class TlsServer:
    """Lists one model to clients whose certificate is signed by `authority`, and notes the metadata they bring."""

    def __init__(self, authority):
        certificate, key = authority.sign("server")
        self.metadata = {}
        listing = grpc.unary_unary_rpc_method_handler(
            self._list, models_pb2.ListModelsRequest.FromString, models_pb2.ListModelsResponse.SerializeToString
        )
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("rondo.v1.Models", {"ListModels": listing})]
        )
        credentials = grpc.ssl_server_credentials(
            [(key.read_bytes(), certificate.read_bytes())], authority.certificate.read_bytes(), True
        )
        self.address = "127.0.0.1:%d" % self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    def _list(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        return models_pb2.ListModelsResponse(models=[models_pb2.Model(name="behind-tls", version=1)])

    def close(self):
        self._server.stop(None).wait()


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.authority = Authority(cls.folder)
        cls.server = TlsServer(cls.authority)
        cls.addClassCleanup(cls.server.close)
        cls.certificate, cls.key = cls.authority.sign("client")
        cls.token = cls.folder / "token"
        cls.token.write_text("secret\n")

    def tls(self, **changed):
        files = {"root_certificates": self.authority.certificate, "certificate_chain": self.certificate,
                 "private_key": self.key, **changed}  # fmt: skip
        return rondo.TlsOptions(server_name="rondo.test", **{name: file.read_bytes() for name, file in files.items()})

    def rondo(self, *flags):
        return subprocess.run([BIN / "rondo", f"--server={self.server.address}", *flags, "models"],
                              capture_output=True, text=True, timeout=60)  # fmt: skip

    def flags(self):
        return (f"--tls_ca={self.authority.certificate}", f"--tls_cert={self.certificate}", f"--tls_key={self.key}",
                "--tls_server_name=rondo.test", f"--token_file={self.token}")  # fmt: skip

    def assert_brought(self, **wanted):
        self.assertEqual({name: self.server.metadata.get(name.replace("_", "-")) for name in wanted}, wanted)

    def test_the_blocking_client_gets_through_with_its_token(self):
        tokens = iter(["first", "second"])
        metadata = {"x-team": "blue"}
        with rondo.Client(self.server.address, tls=self.tls(), token=lambda: next(tokens), metadata=metadata) as client:
            self.assertEqual(client.list_models()[0].name, "behind-tls")
            self.assert_brought(authorization="Bearer first", x_team="blue")
            client.list_models()
            self.assert_brought(authorization="Bearer second")

    def test_the_asyncio_client_gets_through_with_its_token(self):
        async def ask():
            async with rondo.aio.Client(self.server.address, tls=self.tls(), token="aio") as client:
                return [model.name for model in await client.list_models()]

        self.assertEqual(asyncio.run(ask()), ["behind-tls"])
        self.assert_brought(authorization="Bearer aio")

    def test_credentials_of_ones_own_are_used(self):
        options = [("grpc.ssl_target_name_override", "rondo.test")]
        credentials = self.tls().credentials()
        with rondo.Client(self.server.address, credentials=credentials, channel_options=options) as client:
            self.assertEqual(len(client.list_models()), 1)

    def test_the_servers_of_a_name_have_to_have_that_name(self):
        port = self.server.address.rpartition(":")[2]
        own = grpc.ssl_channel_credentials(*(file.read_bytes() for file in
                                             (self.authority.certificate, self.key, self.certificate)))  # fmt: skip
        unnamed = dataclasses.replace(self.tls(), server_name="")
        for name, options, trusted in (
            ("rondo.test", {"tls": unnamed}, True), ("rondo.test", {"credentials": own}, True),
            ("other.test", {"tls": unnamed}, False), ("other.test", {"credentials": own}, False),
            ("other.test", {"tls": self.tls()}, True),
        ):  # fmt: skip
            with rondo.Client(f"{name}:{port}", look_up=lambda host: ["127.0.0.1", "127.0.0.2"], max_attempts=1,
                              **options) as client:  # fmt: skip
                if trusted:
                    self.assertEqual(len(client.list_models()), 1)
                else:
                    self.assertRaises(rondo.Unavailable, client.list_models)

    def test_the_command_line_gets_through_with_its_token(self):
        done = self.rondo("--tls", *self.flags())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("behind-tls", done.stdout)
        self.assert_brought(authorization="Bearer secret")

    def test_strangers_and_wrong_servers_are_left(self):
        other = Authority(self.folder, "other")
        stranger, key = other.sign("stranger")
        for tls in (None, self.tls(root_certificates=other.certificate),
                    self.tls(certificate_chain=stranger, private_key=key),
                    rondo.TlsOptions(self.authority.certificate.read_bytes(), server_name="rondo.test")):  # fmt: skip
            with rondo.Client(self.server.address, tls=tls, max_attempts=1) as client:
                with self.assertRaises(rondo.Unavailable):
                    client.list_models()
        for flags in ((), self.flags()[:3], ("--tls_server_name=rondo.test", *self.flags()[1:3])):
            self.assertEqual(self.rondo(*flags).returncode, 1, flags)

    def test_what_cannot_be_is_refused_before_anything_is_sent(self):
        for options in (
            {"tls": self.tls(), "credentials": self.tls().credentials()}, {"metadata": {"Team": "x"}},
            {"metadata": [("team", "a\nb")]}, {"metadata": [("team", b"x")]}, {"metadata": {"grpc-timeout": "1S"}},
            {"keepalive": 0},
        ):  # fmt: skip
            with self.assertRaises(ValueError, msg=options):
                rondo.Client("127.0.0.1:1", **options)
        with self.assertRaisesRegex(ValueError, "both or none"):
            rondo.TlsOptions(private_key="key")
        for token in ("", "two words", "a\nb"):
            with rondo.Client("127.0.0.1:1", token=token) as client, self.assertRaises(ValueError):
                client.list_models()
        done = self.rondo("--token_file=/nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--token_file=/nowhere", done.stderr)


class RealServerTest(unittest.TestCase):
    """rondo-server itself, which wants its clients' certificates."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        authority = Authority(folder)
        cls.files = (authority.certificate, *authority.sign("client"))
        certificate, key = authority.sign("server")
        cls.server = cls.enterClassContext(ServerProcess(
            f"--tls_cert={certificate}", f"--tls_key={key}", f"--tls_client_ca={authority.certificate}"
        ))  # fmt: skip

    def flags(self):
        return [f"--{name}={file}" for name, file in zip(("tls_ca", "tls_cert", "tls_key"), self.files)]

    def test_sessions_and_streams_run_over_tls(self):
        tls = rondo.TlsOptions(*(file.read_text() for file in self.files), server_name="rondo.test")
        with rondo.Client(self.server.address, tls=tls) as client, client.open_stream("sum") as stream:
            self.assertEqual(client.open_session("sum", "over-tls").step([1]).tolist(), [1])
            stream.write([rondo.SequenceInput([[2]], "over-tls", 1)])
            self.assertEqual(stream.read(timeout=30).outputs[0].values.tolist(), [[3]])

    def test_the_programs_run_over_tls(self):
        for program, *rest in (
            ("rondo", "sessions", "list"),
            ("rondo-load", "--model=sum", "--duration=500ms", "--warmup=0s", "--json"),
        ):
            command = [BIN / program, f"--server={self.server.address}", *self.flags(), "--tls_server_name=rondo.test"]
            done = subprocess.run([*command, *rest], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), program)
        self.assertEqual(subprocess.run([BIN / "rondo", f"--server={self.server.address}", "models"],
                                        capture_output=True, timeout=60).returncode, 1)  # fmt: skip


class InterceptorsTest(unittest.TestCase):
    class Blocking(grpc.UnaryUnaryClientInterceptor):
        seen = ()

        def intercept_unary_unary(self, continuation, details, request):
            self.seen += (details.method,)
            return continuation(details, request)

    class Asyncio(grpc.aio.UnaryUnaryClientInterceptor):
        seen = ()

        async def intercept_unary_unary(self, continuation, details, request):
            self.seen += (details.method,)
            return await continuation(details, request)

    def test_interceptors_see_every_call(self):
        blocking = self.Blocking()
        with rondo.Client("127.0.0.1:1", interceptors=[blocking], max_attempts=1) as client:
            with self.assertRaises(rondo.Unavailable):
                client.list_models()
        self.assertEqual(blocking.seen, ("/rondo.v1.Models/ListModels",))

        async def ask(interceptor):
            async with rondo.aio.Client("127.0.0.1:1", interceptors=[interceptor], max_attempts=1) as client:
                with self.assertRaises(rondo.Unavailable):
                    await client.list_models()

        asyncio_one = self.Asyncio()
        asyncio.run(ask(asyncio_one))
        self.assertEqual([str(name, "ascii") if isinstance(name, bytes) else name for name in asyncio_one.seen],
                         ["/rondo.v1.Models/ListModels"])  # fmt: skip
