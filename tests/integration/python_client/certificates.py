"""Certificates for a test, made by openssl."""

import pathlib
import subprocess


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Authority:
    """Signs certificates; `ca.pem` in `folder` is its own."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = pathlib.Path(folder), name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=self.folder)  # fmt: skip

    @property
    def certificate(self):
        return self.folder / f"{self.name}.pem"

    def sign(self, name, alternative_names="DNS:rondo.test"):
        """(certificate, key), as files"""
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={alternative_names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", folder=self.folder)  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem", folder=self.folder)  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"
