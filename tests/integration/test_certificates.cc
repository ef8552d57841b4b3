#include "tests/integration/test_certificates.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Signed = std::shared_ptr<X509>;

Key NewKey() { return Key(EVP_EC_gen("P-256"), &EVP_PKEY_free); }

template <typename Write>
std::string Pem(Write write) {
  BIO* const memory = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(memory), 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(memory);
  return text;
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate); });
}

void Extend(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  EXPECT_EQ(X509_add_ext(certificate, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

// `issuer`: null: itself.
Signed Sign(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, absl::Duration valid_for) {
  static std::atomic<int> serial{1};
  const Signed made(X509_new(), &X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -2 * 86400);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), absl::ToInt64Seconds(valid_for));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer == nullptr ? made.get() : issuer));
  X509_set_pubkey(made.get(), key);
  if (issuer == nullptr) Extend(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  if (issuer != nullptr) Extend(made.get(), NID_subject_alt_name, absl::StrCat("DNS:", name));
  EXPECT_GT(X509_sign(made.get(), issuer_key, EVP_sha256()), 0);
  return made;
}

}  // namespace

CertificateAuthority::CertificateAuthority() : key_(NewKey()) {
  static std::atomic<int> number{1};
  certificate_ = Sign(absl::StrCat("Test CA ", number++), key_.get(), nullptr, key_.get(), absl::Hours(1));
  cert_ = PemOf(certificate_.get());
}

Certificate CertificateAuthority::Issue(const std::string& name, absl::Duration valid_for) const {
  const Key key = NewKey();
  const Signed made = Sign(name, key.get(), certificate_.get(), key_.get(), valid_for);
  return {PemOf(made.get()),
          Pem([&](BIO* to) { return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

}  // namespace rondo
