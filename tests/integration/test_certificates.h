#ifndef RONDO_TESTS_INTEGRATION_TEST_CERTIFICATES_H_
#define RONDO_TESTS_INTEGRATION_TEST_CERTIFICATES_H_

#include <memory>
#include <string>

#include "absl/time/time.h"

struct evp_pkey_st;
struct x509_st;

namespace rondo {

// A certificate and its key, in PEM form.
struct Certificate {
  std::string cert;
  std::string key;
};

// Signs certificates of the length that a test needs.
class CertificateAuthority {
 public:
  CertificateAuthority();

  const std::string& cert() const { return cert_; }
  // For the DNS name, from two days ago until `valid_for` from now.
  Certificate Issue(const std::string& name, absl::Duration valid_for = absl::Hours(1)) const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
  std::string cert_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_TEST_CERTIFICATES_H_
