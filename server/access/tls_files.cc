#include "server/access/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/annotate.h"
#include "base/files.h"
#include "base/log.h"

namespace rondo {
namespace {

constexpr size_t kMaxPemBytes = 1 << 20;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio BioOf(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
}

Certificate NextCertificate(BIO* bio) {
  return Certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free);
}

// OpenSSL would ask on the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

}  // namespace

absl::Status TlsFiles::Unfit(absl::string_view flag, const std::string& file, absl::string_view what) const {
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", file, ": ", what, reason == nullptr ? "" : absl::StrCat(" (", reason, ")")));
}

absl::StatusOr<TlsFiles::Pem> TlsFiles::Read() const {
  Pem pem;
  const auto read = [](absl::string_view flag, const std::string& file, std::string* bytes) {
    if (file.empty()) return absl::OkStatus();
    absl::StatusOr<std::string> whole = ReadSmallFile(file, kMaxPemBytes);
    if (!whole.ok()) {
      return Annotate(whole.status(), absl::StrCat("--", flag, "=", file));
    }
    *bytes = *std::move(whole);
    return absl::OkStatus();
  };
  absl::Status status = read("tls_cert", options_.cert, &pem.cert);
  status.Update(read("tls_key", options_.key, &pem.key));
  status.Update(read("tls_client_ca", options_.client_ca, &pem.client_ca));
  if (!status.ok()) return status;
  return pem;
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> TlsFiles::MakeContext(const Pem& pem) const {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr) return absl::InternalError("OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);

  const Bio certificates = BioOf(pem.cert);
  const Certificate own = NextCertificate(certificates.get());
  if (own == nullptr) return Unfit("tls_cert", options_.cert, "wanted a certificate in PEM form");
  if (SSL_CTX_use_certificate(context.get(), own.get()) != 1) return Unfit("tls_cert", options_.cert, "not usable");
  while (Certificate between = NextCertificate(certificates.get())) {
    if (SSL_CTX_add1_chain_cert(context.get(), between.get()) != 1) return Unfit("tls_cert", options_.cert, "no chain");
  }
  ERR_clear_error();  // the end of the file
  const Bio key_text = BioOf(pem.key);
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, &NoPassword, nullptr), &EVP_PKEY_free);
  if (key == nullptr) return Unfit("tls_key", options_.key, "wanted a private key in PEM form, not encrypted");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Unfit("tls_key", options_.key, absl::StrCat("is not the key of --tls_cert=", options_.cert));
  }
  if (options_.client_ca.empty()) return context;

  const Bio authorities = BioOf(pem.client_ca);
  int count = 0;
  while (Certificate authority = NextCertificate(authorities.get())) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), authority.get());
    SSL_CTX_add_client_CA(context.get(), authority.get());
    ++count;
  }
  if (count == 0) return Unfit("tls_client_ca", options_.client_ca, "wanted certificates in PEM form");
  ERR_clear_error();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

absl::Status TlsFiles::Take(const Pem& pem) {
  absl::StatusOr<std::shared_ptr<SSL_CTX>> context = MakeContext(pem);
  if (!context.ok()) return context.status();
  // One file for both, so that who reads it while it changes gets a key and a certificate that fit.
  absl::Status status = identity_.Write(absl::StrCat(pem.key, "\n", pem.cert));
  status.Update(client_ca_.Write(pem.client_ca));
  if (!status.ok()) return status;
  MutexLock lock(&mutex_);
  context_ = *std::move(context);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(const TlsOptions& options) {
  std::unique_ptr<TlsFiles> files(new TlsFiles(options));
  const absl::StatusOr<Pem> pem = files->Read();
  if (!pem.ok()) return pem.status();
  if (const absl::Status taken = files->Take(*pem); !taken.ok()) return taken;
  files->tried_ = absl::StrCat(pem->cert, pem->key, pem->client_ca);
  return files;
}

bool TlsFiles::Refresh() {
  const absl::StatusOr<Pem> pem = Read();
  std::string came = pem.ok() ? absl::StrCat(pem->cert, pem->key, pem->client_ca) : pem.status().ToString();
  if (came == tried_) return false;
  tried_ = std::move(came);
  const absl::Status taken = pem.ok() ? Take(*pem) : pem.status();
  if (!taken.ok()) LogEvent(LogLevel::kError, "tls_files_refused", {{"message", std::string(taken.message())}});
  if (taken.ok()) LogEvent(LogLevel::kInfo, "tls_files_taken", {{"expires", absl::FormatTime(expires_at())}});
  return taken.ok();
}

std::shared_ptr<SSL_CTX> TlsFiles::context() const {
  MutexLock lock(&mutex_);
  return context_;
}

absl::Time TlsFiles::expires_at() const {
  std::tm time{};
  ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context().get())), &time);
  return absl::FromTM(time, absl::UTCTimeZone());
}

}  // namespace rondo
