#ifndef RONDO_SERVER_STORE_REDIS_CONNECTION_H_
#define RONDO_SERVER_STORE_REDIS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/store/redis_address.h"

struct redisContext;
struct redisReplyObjectFunctions;
struct ssl_st;

namespace rondo {

// Commands that go out together, as RESP (redis.io/docs/reference/protocol-spec).
class RedisCommands {
 public:
  void Add(std::initializer_list<absl::string_view> words);

  size_t count() const { return count_; }
  absl::string_view bytes() const { return bytes_; }

 private:
  size_t count_ = 0;
  std::string bytes_;
};

struct RedisReply {
  enum class Kind { kText, kInteger, kTexts, kNothing, kError };
  Kind kind = Kind::kNothing;
  std::string text;  // of a text or an error
  int64_t integer = 0;
  std::vector<std::string> texts;  // of an array, whose elements that are no texts are empty here
};

// One connection to a Redis. What Redis answers is hostile until checked: arrays of more than two elements, and more
// bytes than a call may answer, are refused before memory is given to them.
//
// hiredis resolves, connects and parses. Bytes are sent and received here, as hiredis neither bounds the time of a
// whole call nor keeps SIGPIPE away.
//
// Threads: one at a time. Errors: after an error, the connection is of no more use.
class RedisConnection {
 public:
  struct Limits {
    absl::Duration connect = absl::Seconds(1);
    absl::Duration silence = absl::Seconds(1);  // without a byte sent or received
    absl::Duration call = absl::Seconds(10);    // of one Call
    size_t reply_bytes = size_t{1} << 30;       // of all replies of one Call
  };

  // Connects, logs in and chooses the database. UNAVAILABLE: nobody answers, or not yet. PERMISSION_DENIED: user,
  // password or certificate. FAILED_PRECONDITION: what answers is no Redis. INVALID_ARGUMENT: this Redis has no such
  // database.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisAddress& address, const Limits& limits);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Sends all commands, and returns as many replies. UNAVAILABLE: Redis is gone or too slow. FAILED_PRECONDITION: what
  // came is not Redis's protocol, or more than is wanted.
  absl::StatusOr<std::vector<RedisReply>> Call(const RedisCommands& commands);
  // Returns the reply to `command`, or what its error reply means: see RedisError.
  absl::StatusOr<RedisReply> CallOne(std::initializer_list<absl::string_view> command);

 private:
  RedisConnection(redisContext* context, const Limits& limits);

  absl::Status LogIn(const RedisAddress& address);
  // Speaks TLS 1.2 or newer from now on, with a server whose certificate is for the address's host.
  absl::Status StartTls(const RedisAddress& address);
  // As recv and send: what to do about an outcome of OpenSSL's is in errno.
  ssize_t TlsOutcome(int result) const;
  absl::Status Send(absl::string_view* bytes);
  // Takes what has arrived, up to `wanted` replies in all, without waiting for more.
  absl::Status Receive(size_t wanted, std::vector<RedisReply>* replies, size_t* received);
  absl::Status Await(bool to_send, absl::Time deadline);
  // Has closing drop what is not delivered yet. A network that was cut would deliver that once the network is whole
  // again, behind what the next connection has brought: an old state over a newer one.
  void Reset();

  redisContext* const context_;
  ssl_st* tls_ = nullptr;  // null: no TLS
  const Limits limits_;
  const std::unique_ptr<redisReplyObjectFunctions> reply_functions_;
};

// Says what an error reply means. PERMISSION_DENIED: user, password or their rights. DATA_LOSS: a value of a wrong
// type. RESOURCE_EXHAUSTED: out of memory. FAILED_PRECONDITION: a read-only replica, or a cluster. UNAVAILABLE: all
// others.
absl::Status RedisError(absl::string_view text);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_CONNECTION_H_
