#include "server/listen/http_connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace rondo {
namespace {

constexpr size_t kMaxRequestBytes = 8 << 10;
constexpr int kWait = 0;
constexpr int kOver = -1;

}  // namespace

HttpConnection::HttpConnection(int socket, SSL_CTX* tls, absl::Time deadline) : socket_(socket), deadline_(deadline) {
  if (tls == nullptr) return;
  tls_ = SSL_new(tls);
  SSL_set_fd(tls_, socket_);
  SSL_set_accept_state(tls_);
}

HttpConnection::~HttpConnection() {
  SSL_free(tls_);
  close(socket_);
}

int HttpConnection::Outcome(int result) {
  if (result > 0) return result;
  if (tls_ == nullptr) return result < 0 && (errno == EAGAIN || errno == EINTR) ? kWait : kOver;
  const int error = SSL_get_error(tls_, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return kOver;
  awaited_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
  return kWait;
}

int HttpConnection::Read(absl::Span<char> bytes) {
  awaited_ = POLLIN;
  ERR_clear_error();
  return Outcome(tls_ == nullptr ? static_cast<int>(recv(socket_, bytes.data(), bytes.size(), 0))
                                 : SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size())));
}

int HttpConnection::Write(absl::string_view bytes) {
  awaited_ = POLLOUT;
  ERR_clear_error();
  return Outcome(tls_ == nullptr ? static_cast<int>(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL))
                                 : SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())));
}

bool HttpConnection::Proceed(Answer answer) {
  std::array<char, 4096> bytes;
  while (answer_.empty()) {
    const int size = Read(absl::MakeSpan(bytes));
    if (size <= 0) return size == kWait;
    request_.append(bytes.data(), static_cast<size_t>(size));
    if (const size_t end = request_.find("\r\n\r\n"); end != std::string::npos) {
      answer_ = answer(HttpRequest(absl::string_view(request_).substr(0, end)));
    } else if (request_.size() > kMaxRequestBytes) {
      return false;
    }
  }
  while (sent_ < answer_.size()) {
    const int size = Write(absl::string_view(answer_).substr(sent_));
    if (size <= 0) return size == kWait;
    sent_ += static_cast<size_t>(size);
  }
  if (tls_ != nullptr) SSL_shutdown(tls_);
  return false;
}

}  // namespace rondo
