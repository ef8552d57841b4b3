#include "server/store/redis_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"

namespace rondo {
namespace {

constexpr size_t kMostAtOnce = 1 << 20;  // bytes that OpenSSL is given

absl::Status Unavailable(absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("Redis cannot be reached: ", why));
}

// hiredis allocates an array as soon as its length is announced. No longer one is asked for here than the host and port
// of a primary. The length is an int in hiredis 0.14, and a size_t in 1.x.
template <typename Count>
void* CreateShortArray(const redisReadTask* task, Count elements) {
  using Create = void* (*)(const redisReadTask*, Count);
  static const Create create = [] {
    redisReader* const reader = redisReaderCreate();
    const Create own = reader == nullptr ? nullptr : reader->fn->createArray;
    redisReaderFree(reader);
    return own;
  }();
  return create == nullptr || static_cast<size_t>(elements) > 2 ? nullptr : create(task, elements);
}

RedisReply Taken(redisReply* raw) {
  RedisReply reply;
  switch (raw->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::kText;
      reply.text.assign(raw->str, raw->len);
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = RedisReply::Kind::kError;
      reply.text.assign(raw->str, raw->len);
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::kInteger;
      reply.integer = raw->integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::kTexts;
      for (size_t i = 0; i < raw->elements; ++i) {
        const bool is_text = raw->element[i] != nullptr && raw->element[i]->type == REDIS_REPLY_STRING;
        reply.texts.push_back(is_text ? std::string(raw->element[i]->str, raw->element[i]->len) : "");
      }
      break;
    default:
      break;
  }
  freeReplyObject(raw);
  return reply;
}

}  // namespace

void RedisCommands::Add(std::initializer_list<absl::string_view> words) {
  absl::StrAppend(&bytes_, "*", words.size(), "\r\n");
  for (absl::string_view word : words) absl::StrAppend(&bytes_, "$", word.size(), "\r\n", word, "\r\n");
  ++count_;
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(const RedisAddress& address,
                                                                       const Limits& limits) {
  redisContext* context = redisConnectWithTimeout(address.host.c_str(), address.port, absl::ToTimeval(limits.connect));
  if (context == nullptr) return Unavailable("no memory");
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context, limits));
  if (context->err != 0) return Unavailable(context->errstr);
  if (absl::Status secured = address.tls ? connection->StartTls(address) : absl::OkStatus(); !secured.ok()) {
    return secured;
  }
  if (absl::Status status = connection->LogIn(address); !status.ok()) return status;
  return connection;
}

RedisConnection::RedisConnection(redisContext* context, const Limits& limits)
    : context_(context),
      limits_(limits),
      reply_functions_(std::make_unique<redisReplyObjectFunctions>(*context->reader->fn)) {
  reply_functions_->createArray = CreateShortArray;
  context_->reader->fn = reply_functions_.get();
}

RedisConnection::~RedisConnection() {
  SSL_free(tls_);
  redisFree(context_);
}

absl::Status RedisConnection::StartTls(const RedisAddress& address) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (context == nullptr) return Unavailable("no memory");
  ERR_clear_error();
  const bool trusts = address.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                              : SSL_CTX_load_verify_file(context.get(), address.ca_file.c_str()) == 1;
  if (!trusts) return absl::InvalidArgumentError(absl::StrCat("no CA in PEM form can be read from ", address.ca_file));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  tls_ = SSL_new(context.get());
  SSL_set_fd(tls_, context_->fd);
  const bool is_ip = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_), address.host.c_str()) == 1;
  if (!is_ip) SSL_set_tlsext_host_name(tls_, address.host.c_str());
  if (!is_ip && SSL_set1_host(tls_, address.host.c_str()) != 1) return Unavailable("no memory");
  fcntl(context_->fd, F_SETFL, fcntl(context_->fd, F_GETFL) | O_NONBLOCK);
  const absl::Time deadline = absl::Now() + limits_.connect;
  ssize_t outcome = 0;
  while ((outcome = TlsOutcome(SSL_connect(tls_))) <= 0) {
    if (const long verified = SSL_get_verify_result(tls_); verified != X509_V_OK) {
      return absl::PermissionDeniedError(
          absl::StrCat("Redis shows a certificate that is not trusted: ", X509_verify_cert_error_string(verified)));
    }
    if (outcome == 0 || errno != EAGAIN) return Unavailable("it does not speak TLS, or has ended the connection");
    if (absl::Status ready = Await(SSL_want_write(tls_) == 1, deadline); !ready.ok()) return ready;
  }
  return absl::OkStatus();
}

ssize_t RedisConnection::TlsOutcome(int result) const {
  if (result > 0) return result;
  const int error = SSL_get_error(tls_, result);
  ERR_clear_error();
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}

absl::Status RedisConnection::LogIn(const RedisAddress& address) {
  absl::StatusOr<std::string> password = address.password;
  if (!address.password_file.empty()) password = ReadSmallFile(address.password_file, 4096);
  if (!password.ok())
    return absl::PermissionDeniedError(absl::StrCat("Redis's password: ", password.status().message()));
  absl::StripTrailingAsciiWhitespace(&*password);
  if (!password->empty()) {
    const auto answer =
        address.user.empty() ? CallOne({"AUTH", *password}) : CallOne({"AUTH", address.user, *password});
    if (absl::IsUnavailable(answer.status()) && absl::StrContains(answer.status().message(), "ERR")) {
      return absl::PermissionDeniedError(answer.status().message());  // a password for a Redis that has none
    }
    if (!answer.ok()) return answer.status();
  }
  const auto ping = CallOne({"PING"});
  if (!ping.ok()) return ping.status();
  if (ping->text != "PONG") return absl::FailedPreconditionError("what answers is no Redis");
  if (address.database == 0) return absl::OkStatus();
  const auto selected = CallOne({"SELECT", absl::StrCat(address.database)});
  if (absl::IsUnavailable(selected.status()) && absl::StrContains(selected.status().message(), "ERR")) {
    return absl::InvalidArgumentError(
        absl::StrCat("Redis has no database ", address.database, ": ", selected.status().message()));
  }
  return selected.status();
}

absl::StatusOr<RedisReply> RedisConnection::CallOne(std::initializer_list<absl::string_view> command) {
  RedisCommands commands;
  commands.Add(command);
  absl::StatusOr<std::vector<RedisReply>> replies = Call(commands);
  if (!replies.ok()) return replies.status();
  if (replies->front().kind == RedisReply::Kind::kError) return RedisError(replies->front().text);
  return std::move(replies->front());
}

absl::StatusOr<std::vector<RedisReply>> RedisConnection::Call(const RedisCommands& commands) {
  std::vector<RedisReply> replies;
  replies.reserve(commands.count());
  absl::string_view unsent = commands.bytes();
  size_t received = 0;
  const absl::Time deadline = absl::Now() + limits_.call;
  while (replies.size() < commands.count()) {
    absl::Status status = Await(!unsent.empty(), deadline);
    if (status.ok()) status = Send(&unsent);
    if (status.ok()) status = Receive(commands.count(), &replies, &received);
    if (!status.ok()) {
      Reset();
      return status;
    }
  }
  return replies;
}

void RedisConnection::Reset() {
  const linger drop_unsent{1, 0};
  setsockopt(context_->fd, SOL_SOCKET, SO_LINGER, &drop_unsent, sizeof(drop_unsent));
}

absl::Status RedisConnection::Await(bool to_send, absl::Time deadline) {
  const absl::Duration patience = std::min(limits_.silence, deadline - absl::Now());
  pollfd ready{context_->fd, static_cast<short>(to_send ? POLLIN | POLLOUT : POLLIN), 0};
  const int count = poll(&ready, 1, static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(patience))));
  if (count > 0 || (count < 0 && errno == EINTR)) return absl::OkStatus();
  return Unavailable(count == 0 ? "it does not answer" : strerror(errno));
}

absl::Status RedisConnection::Send(absl::string_view* bytes) {
  while (!bytes->empty()) {
    const ssize_t sent =
        tls_ == nullptr
            ? send(context_->fd, bytes->data(), bytes->size(), MSG_NOSIGNAL | MSG_DONTWAIT)
            : TlsOutcome(SSL_write(tls_, bytes->data(), static_cast<int>(std::min(bytes->size(), kMostAtOnce))));
    if (sent == 0) return Unavailable("it has closed the connection");
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
    if (sent < 0) return Unavailable(strerror(errno));
    bytes->remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::Status RedisConnection::Receive(size_t wanted, std::vector<RedisReply>* replies, size_t* received) {
  std::array<char, 64 << 10> bytes;
  const ssize_t size = tls_ == nullptr ? recv(context_->fd, bytes.data(), bytes.size(), MSG_DONTWAIT)
                                       : TlsOutcome(SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size())));
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return absl::OkStatus();
  if (size < 0) return Unavailable(strerror(errno));
  if (size == 0) return Unavailable("it has closed the connection");
  *received += static_cast<size_t>(size);
  if (*received > limits_.reply_bytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("Redis answers more than ", limits_.reply_bytes, " bytes to one call"));
  }
  int parsed = redisReaderFeed(context_->reader, bytes.data(), static_cast<size_t>(size));
  while (parsed == REDIS_OK && replies->size() < wanted) {
    void* raw = nullptr;
    parsed = redisReaderGetReply(context_->reader, &raw);
    if (raw == nullptr) break;
    replies->push_back(Taken(static_cast<redisReply*>(raw)));
  }
  if (parsed == REDIS_OK) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("what answers does not speak as Redis: ", context_->reader->errstr));
}

absl::Status RedisError(absl::string_view text) {
  const std::string message = absl::StrCat("Redis answers: ", text);
  const auto is = [text](absl::string_view code) { return absl::StartsWith(text, absl::StrCat(code, " ")); };
  if (is("NOAUTH") || is("WRONGPASS") || is("NOPERM") || is("DENIED") || absl::StrContains(text, "invalid password")) {
    return absl::PermissionDeniedError(message);
  }
  if (is("READONLY") || is("MOVED") || is("ASK") || is("CROSSSLOT")) return absl::FailedPreconditionError(message);
  // Errors inside a script have their code first since Redis 7, and somewhere in the text before.
  if (absl::StrContains(text, "WRONGTYPE") || absl::StrContains(text, "NOTASESSION") ||
      absl::StrContains(text, "hash value is not an integer")) {
    return absl::DataLossError(message);
  }
  if (absl::StrContains(text, "READONLY")) return absl::FailedPreconditionError(message);
  if (absl::StrContains(text, "OOM command not allowed")) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

}  // namespace rondo
