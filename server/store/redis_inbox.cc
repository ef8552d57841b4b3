#include "server/store/redis_inbox.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/steady_time.h"
#include "base/thread_name.h"
#include "server/store/redis_sentinel.h"

namespace rondo {
namespace {

constexpr absl::Duration kWait = absl::Seconds(1);
constexpr absl::Duration kRetry = absl::Milliseconds(200);

RedisConnection::Limits Patient(RedisConnection::Limits limits) {
  limits.silence += kWait;
  return limits;
}

}  // namespace

std::string RedisInbox::KeyOf(absl::string_view owner) { return absl::StrCat("rondo:server:", owner); }

RedisInbox::RedisInbox(const RedisAddress& address, RedisConnection::Limits limits, absl::string_view owner,
                       OwnershipTerm* term, std::function<void(StoreNotice)> hear)
    : address_(address),
      limits_(Patient(limits)),
      key_(KeyOf(owner)),
      term_(term),
      hear_(std::move(hear)),
      thread_([this] { Run(); }) {}

RedisInbox::~RedisInbox() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.Signal();
  }
  thread_.join();
}

void RedisInbox::Run() {
  NameThisThread("rondo-inbox");
  std::unique_ptr<RedisConnection> connection;
  while (true) {
    {
      const MutexLock lock(&mutex_);
      if (!stopping_ && connection == nullptr) stop_.WaitFor(&mutex_, kRetry);
      if (stopping_) return;
    }
    const auto say_awake = [this] { term_->Awake(SteadyNow()); };
    say_awake();
    if (connection == nullptr) {
      const absl::StatusOr<RedisAddress> primary = FindPrimary(address_, limits_, say_awake);
      if (!primary.ok()) continue;
      say_awake();
      auto opened = RedisConnection::Open(*primary, limits_);
      if (!opened.ok()) continue;
      connection = *std::move(opened);
    }
    const absl::StatusOr<std::string> word = Next(connection.get());
    if (!word.ok()) {
      LogTrouble("session_store_inbox_lost", word.status().message());
      connection.reset();
    } else if (!word->empty()) {
      const char kind = word->front();
      if (kind == 'w') hear_({StoreNotice::Kind::kWanted, word->substr(1)});
      if (kind == 'f') hear_({StoreNotice::Kind::kFreed, word->substr(1)});
    }
  }
}

absl::StatusOr<std::string> RedisInbox::Next(RedisConnection* connection) {
  const std::string inbox = absl::StrCat(key_, ":inbox");
  const std::string read = absl::StrCat(key_, ":read");
  RedisCommands commands;
  commands.Add({"SET", key_, "alive", "PX", absl::StrCat(absl::ToInt64Milliseconds(OwnershipTerm::kLapse))});
  commands.Add({"DEL", read});
  commands.Add({"BRPOPLPUSH", inbox, read, absl::StrCat(absl::ToInt64Seconds(kWait))});
  term_->Renew(SteadyNow());
  const absl::StatusOr<std::vector<RedisReply>> replies = connection->Call(commands);
  if (!replies.ok()) return replies.status();
  for (const RedisReply& reply : *replies) {
    if (reply.kind == RedisReply::Kind::kError) return RedisError(reply.text);
  }
  return replies->back().text;
}

}  // namespace rondo
