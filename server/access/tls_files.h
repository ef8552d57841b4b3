#ifndef RONDO_SERVER_ACCESS_TLS_FILES_H_
#define RONDO_SERVER_ACCESS_TLS_FILES_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/memory_file.h"
#include "base/mutex.h"

struct ssl_ctx_st;

namespace rondo {

// The files of TLS. Each is in PEM form.
struct TlsOptions {
  std::string cert;       // the server's certificate, then those that lead to its CA; empty: no TLS
  std::string key;        // of the certificate, not encrypted
  std::string client_ca;  // each client must show a certificate that one of these has signed; empty: none is asked for
};

// The files of TLS as they were when they last were whole and fitted each other. A change of the files that makes them
// unfit changes nothing but the log.
//
// Threads: Refresh on one thread; the rest on any.
class TlsFiles {
 public:
  // INVALID_ARGUMENT: a file holds something else than is wanted, or key and certificate do not fit. Other codes: a
  // file cannot be read. The message names the flag and the file.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(const TlsOptions& options);

  // Reads the files again. To be called about once a second. True: they have changed, and are taken.
  bool Refresh();

  // Returns what makes TLS connections, 1.2 or newer, out of accepted ones.
  std::shared_ptr<ssl_ctx_st> context() const;
  // Tells when the server's certificate expires.
  absl::Time expires_at() const;

  // Where a library that wants files finds the same bytes: in this process's memory.
  std::string identity_path() const { return identity_.path(); }  // key and certificates
  std::string client_ca_path() const { return options_.client_ca.empty() ? std::string() : client_ca_.path(); }

 private:
  // The bytes of the files.
  struct Pem {
    std::string cert, key, client_ca;
  };

  explicit TlsFiles(const TlsOptions& options) : options_(options) {}
  absl::StatusOr<Pem> Read() const;
  absl::StatusOr<std::shared_ptr<ssl_ctx_st>> MakeContext(const Pem& pem) const;
  // The error of one file.
  absl::Status Unfit(absl::string_view flag, const std::string& file, absl::string_view what) const;
  absl::Status Take(const Pem& pem);

  const TlsOptions options_;
  std::string tried_;  // what the last Refresh has read, so that it complains once
  MemoryFile identity_{"rondo-tls-identity"};
  MemoryFile client_ca_{"rondo-tls-client-ca"};
  mutable Mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_TLS_FILES_H_
