#ifndef RONDO_SERVER_LISTEN_HTTP_CONNECTION_H_
#define RONDO_SERVER_LISTEN_HTTP_CONNECTION_H_

#include <poll.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/listen/http_request.h"

struct ssl_ctx_st;
struct ssl_st;

namespace rondo {

// One HTTP request over one connection, which does not block: TLS if there is any, the request's head, the answer, the
// end. What comes is hostile: at most 8 KiB of it are kept.
//
// Ownership: closes the socket.
// Threads:   one.
class HttpConnection {
 public:
  // Gives the whole answer to a request.
  using Answer = absl::FunctionRef<std::string(const HttpRequest& request)>;

  // `tls`: null: none.
  HttpConnection(int socket, ssl_ctx_st* tls, absl::Time deadline);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Goes on as far as it can without waiting. False: the connection is over.
  bool Proceed(Answer answer);
  // Returns what the connection waits for.
  pollfd awaited() const { return {socket_, awaited_, 0}; }
  absl::Time deadline() const { return deadline_; }

 private:
  // How many bytes were read or written; 0: it has to wait; negative: the connection is of no more use.
  int Read(absl::Span<char> bytes);
  int Write(absl::string_view bytes);
  int Outcome(int result);

  const int socket_;
  const absl::Time deadline_;
  ssl_st* tls_ = nullptr;
  short awaited_ = POLLIN;
  std::string request_;
  std::string answer_;
  size_t sent_ = 0;  // of the answer
};

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_HTTP_CONNECTION_H_
