#include "server/store/redis_store.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "server/store/redis_scan.h"
#include "server/store/redis_scripts.h"
#include "server/store/redis_sentinel.h"

namespace rondo {
namespace {

constexpr absl::string_view kKeyPrefix = "rondo:session:";

// Gives Unix milliseconds that every Redis takes: from 1, up to the year 9999.
std::string ExpiryText(absl::Time expires_at) {
  if (expires_at == absl::InfiniteFuture()) return "";
  constexpr int64_t kLast = 253'402'300'799'000;
  return absl::StrCat(std::clamp<int64_t>(absl::ToUnixMillis(expires_at), 1, kLast));
}

absl::Status DataLoss() {
  return absl::DataLossError("what is under this session's key in the session store is not a session");
}

// An error reply's text may have keys of others, so it goes to the log and not to clients.
absl::Status AnswerOfError(absl::string_view text) {
  LogTrouble("session_store_refused", text);
  const absl::Status error = RedisError(text);
  if (absl::IsDataLoss(error)) return DataLoss();
  if (absl::IsResourceExhausted(error)) return absl::ResourceExhaustedError("the session store is out of memory");
  return absl::UnavailableError("the session store refused; its server's log says why");
}

void Answer(RedisReply reply, SessionStore::LoadOp* load) {
  load->status = absl::OkStatus();
  load->value.clear();
  load->epoch = 1;
  load->taken_over = load->held = false;
  load->doubtful_before = absl::InfinitePast();
  if (reply.kind == RedisReply::Kind::kError) {
    load->status = AnswerOfError(reply.text);
    if (absl::IsResourceExhausted(load->status)) load->status = absl::UnavailableError(load->status.message());
    return;
  }
  if (reply.kind == RedisReply::Kind::kText && reply.text.empty()) return;
  load->held = reply.text == "held";
  if (load->held) return;
  const std::vector<absl::string_view> parts = absl::StrSplit(reply.text, absl::MaxSplits(' ', 3));
  if (parts.size() < 4 || !absl::SimpleAtoi(parts[0], &load->epoch)) {
    load->status = DataLoss();
    return;
  }
  load->taken_over = parts[1] == "taken";
  if (parts[2] == "doubtful") load->doubtful_before = absl::InfiniteFuture();
  reply.text.erase(0, reply.text.size() - parts[3].size());
  load->value = std::move(reply.text);
}

absl::Status AnswerOfSave(const RedisReply& reply) {
  if (reply.kind == RedisReply::Kind::kError) return AnswerOfError(reply.text);
  if (reply.kind != RedisReply::Kind::kInteger) return absl::UnavailableError("the session store answers nonsense");
  return reply.integer == 1 ? absl::OkStatus() : absl::AbortedError("the session has moved to another server");
}

// Gives the owner that the script names after a save.
absl::string_view OwnerAfter(SessionStore::After after, absl::string_view owner) {
  return after == SessionStore::After::kKept ? owner : after == SessionStore::After::kLetGo ? "free" : "doubtful";
}

absl::StatusOr<std::string> RandomOwner() {
  std::array<char, 16> bytes;
  if (getentropy(bytes.data(), bytes.size()) != 0) return absl::InternalError("the kernel gives no random bytes");
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

bool IsForgottenScript(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::kError && absl::StartsWith(reply.text, "NOSCRIPT");
}

bool IsReadOnly(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::kError && absl::StrContains(reply.text, "READONLY");
}

}  // namespace

absl::StatusOr<std::unique_ptr<RedisStore>> RedisStore::Open(const RedisAddress& address, Options options) {
  absl::StatusOr<std::string> owner = RandomOwner();
  if (!owner.ok()) return owner.status();
  std::unique_ptr<RedisStore> store(new RedisStore(address, std::move(options), *std::move(owner)));
  if (const absl::Status status = store->ConnectFirst(); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("cannot use the session store ", address.Shown(), ": ", status.message()));
  }
  store->WarnOfLosses();
  return store;
}

RedisStore::RedisStore(const RedisAddress& address, Options options, std::string owner)
    : address_(address), options_(std::move(options)), owner_(std::move(owner)) {
  std::seed_seq seed(owner_.begin(), owner_.end());
  dice_.seed(seed);
}

absl::Status RedisStore::Connect() {
  if (connection_ != nullptr) return absl::OkStatus();
  if (!backoff_.MayTry(options_.now())) return absl::UnavailableError("the session store cannot be reached");
  const absl::StatusOr<RedisAddress> primary = FindPrimary(address_, options_.limits);
  if (!primary.ok()) return Disconnect(primary.status());
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = RedisConnection::Open(*primary, options_.limits);
  if (!connection.ok()) return Disconnect(connection.status());
  connection_ = *std::move(connection);
  if (absl::Status ready = Prepare(); !ready.ok()) return Disconnect(std::move(ready));
  backoff_.Succeeded();
  LogEvent(LogLevel::kInfo, "session_store_connected", {{"store", address_.Shown()}, {"redis", primary->Shown()}});
  return absl::OkStatus();
}

absl::Status RedisStore::ConnectFirst() {
  constexpr absl::Duration kLook = absl::Milliseconds(10);
  const absl::Time give_up = absl::Now() + options_.start_patience;
  absl::Status status = Connect();
  while (absl::IsUnavailable(status) && absl::Now() < give_up) {
    if (backoff_.MayTry(options_.now())) {
      status = Connect();
    } else {
      absl::SleepFor(kLook);
    }
  }
  return status;
}

absl::Status RedisStore::Prepare() {
  // No session has an empty id, so this removes nothing; but a replica refuses it.
  const absl::Status writable = connection_->CallOne({"DEL", kKeyPrefix}).status();
  if (absl::IsFailedPrecondition(writable) && !address_.sentinels.empty()) {
    return absl::UnavailableError(absl::StrCat("what the sentinels call the primary is none: ", writable.message()));
  }
  return writable.ok() ? LoadScripts() : writable;
}

absl::Status RedisStore::LoadScripts() {
  const auto load = connection_->CallOne({"SCRIPT", "LOAD", kLoadScript});
  if (!load.ok()) return load.status();
  const auto save = connection_->CallOne({"SCRIPT", "LOAD", kSaveScript});
  if (!save.ok()) return save.status();
  const auto scan = connection_->CallOne({"SCRIPT", "LOAD", kScanScript});
  if (!scan.ok()) return scan.status();
  scan_script_ = scan->text;
  load_script_ = load->text;
  save_script_ = save->text;
  return absl::OkStatus();
}

void RedisStore::WarnOfLosses() {
  const auto warn = [this](absl::string_view event, absl::string_view what) {
    LogEvent(LogLevel::kWarning, event, {{"store", address_.Shown()}, {"warning", std::string(what)}});
  };
  if (!address_.sentinels.empty() && address_.replicas == 0) {
    warn("session_store_fails_over", "without replicas=N a fail-over loses what the next primary has not received yet");
  }
  const auto info = connection_->CallOne({"INFO"});
  if (!info.ok()) return warn("session_store_unknown", "this user may not ask Redis what it keeps on disk: INFO");
  if (absl::StrContains(info->text, "aof_enabled:0")) {
    warn("session_store_not_on_disk", "appendonly is no: what is durable here is lost when Redis restarts");
  }
  if (!absl::StrContains(info->text, "maxmemory_policy:noeviction") &&
      !absl::StrContains(info->text, "maxmemory:0\r")) {
    warn("session_store_evicts", "maxmemory_policy is not noeviction: Redis drops sessions when its memory is full");
  }
}

absl::Status RedisStore::Disconnect(absl::Status why) {
  connection_.reset();
  backoff_.Failed(options_.now(), std::uniform_real_distribution<double>(0, 1)(dice_));
  LogTrouble("session_store_lost", why.message());
  return why;
}

absl::StatusOr<std::vector<RedisReply>> RedisStore::Call(size_t count, const AddCommand& add_command) {
  const absl::Status unreachable = absl::UnavailableError("the session store cannot be reached");
  if (!Connect().ok()) return unreachable;
  RedisCommands commands;
  for (size_t i = 0; i < count; ++i) add_command(i, &commands);
  absl::StatusOr<std::vector<RedisReply>> replies = CallAndWait(&commands);
  const absl::Status status = replies.ok() ? Retry(add_command, &*replies) : replies.status();
  if (!status.ok()) {
    Disconnect(status).IgnoreError();
    return unreachable;
  }
  // This Redis is a replica now. Its name may lead to the one that took its place.
  if (absl::c_any_of(*replies, IsReadOnly)) {
    Disconnect(absl::FailedPreconditionError("Redis is a read-only replica now")).IgnoreError();
  }
  return replies;
}

absl::StatusOr<std::vector<RedisReply>> RedisStore::CallAndWait(RedisCommands* commands) {
  if (address_.replicas == 0) return connection_->Call(*commands);
  const absl::Duration patience = options_.limits.silence / 2;  // the answer must come within the connection's own
  commands->Add({"WAIT", absl::StrCat(address_.replicas), absl::StrCat(absl::ToInt64Milliseconds(patience))});
  absl::StatusOr<std::vector<RedisReply>> replies = connection_->Call(*commands);
  if (!replies.ok()) return replies;
  const RedisReply waited = std::move(replies->back());
  replies->pop_back();
  if (waited.kind == RedisReply::Kind::kError) return RedisError(waited.text);
  if (waited.integer >= address_.replicas) return replies;
  return absl::UnavailableError(
      absl::StrCat(waited.integer, " replicas have what was written; wanted ", address_.replicas));
}

absl::Status RedisStore::Retry(const AddCommand& add_command, std::vector<RedisReply>* replies) {
  std::vector<size_t> forgotten;
  for (size_t i = 0; i < replies->size(); ++i) {
    if (IsForgottenScript((*replies)[i])) forgotten.push_back(i);
  }
  if (forgotten.empty()) return absl::OkStatus();
  if (absl::Status loaded = LoadScripts(); !loaded.ok()) return loaded;
  RedisCommands commands;
  for (const size_t i : forgotten) add_command(i, &commands);
  absl::StatusOr<std::vector<RedisReply>> second = CallAndWait(&commands);
  if (!second.ok()) return second.status();
  for (size_t i = 0; i < forgotten.size(); ++i) (*replies)[forgotten[i]] = std::move((*second)[i]);
  return absl::OkStatus();
}

void RedisStore::Load(absl::Span<LoadOp> loads) {
  while (!loads.empty()) {
    const absl::Span<LoadOp> some = loads.subspan(0, kMaxCommands);
    LoadSome(some);
    loads.remove_prefix(some.size());
  }
}

void RedisStore::LoadSome(absl::Span<LoadOp> loads) {
  auto replies = Call(loads.size(), [&](size_t i, RedisCommands* commands) {
    commands->Add({"EVALSHA", load_script_, "1", absl::StrCat(kKeyPrefix, loads[i].id), owner_,
                   absl::StrCat(++last_number_), absl::StrCat(absl::ToInt64Milliseconds(loads[i].claim))});
  });
  for (size_t i = 0; i < loads.size(); ++i) {
    if (replies.ok()) {
      Answer(std::move((*replies)[i]), &loads[i]);
    } else {
      loads[i].status = replies.status();
    }
  }
}

void RedisStore::Save(absl::Span<SaveOp> saves) {
  while (!saves.empty()) {
    size_t count = 0;
    for (size_t bytes = 0; count < std::min(saves.size(), kMaxCommands) && bytes < kMaxCommandBytes; ++count) {
      bytes += saves[count].value.size();
    }
    SaveSome(saves.subspan(0, count));
    saves.remove_prefix(count);
  }
}

void RedisStore::SaveSome(absl::Span<SaveOp> saves) {
  const auto replies = Call(saves.size(), [&](size_t i, RedisCommands* commands) {
    const SaveOp& save = saves[i];
    commands->Add({"EVALSHA", save_script_, "1", absl::StrCat(kKeyPrefix, save.id), owner_,
                   absl::StrCat(++last_number_), absl::StrCat(save.epoch), save.value, ExpiryText(save.expires_at),
                   OwnerAfter(save.after, owner_)});
  });
  for (size_t i = 0; i < saves.size(); ++i) {
    saves[i].status = replies.ok() ? AnswerOfSave((*replies)[i]) : replies.status();
  }
}

void RedisStore::Scan(ScanOp* scan) {
  scan->entries.clear();
  uint64_t number = 0;
  if (!scan->from.empty() && !absl::SimpleAtoi(scan->from, &number)) {
    scan->status = absl::InvalidArgumentError("the place to go on from is none of this session store's");
    return;
  }
  std::string cursor = absl::StrCat(number);  // not as it came: Redis refuses a space or a sign
  const std::string pattern = absl::StrCat(kKeyPrefix, PatternOf(scan->prefix), "*");
  for (int step = 0; step < kMostSteps && scan->entries.size() < kMostFound; ++step) {
    scan->status = ScanStep(pattern, &cursor, scan);
    if (!scan->status.ok()) return;
    if (cursor == "0") break;
  }
  scan->from = cursor == "0" ? "" : cursor;
}

absl::Status RedisStore::ScanStep(absl::string_view pattern, std::string* cursor, ScanOp* scan) {
  const absl::StatusOr<std::vector<RedisReply>> replies = Call(1, [&](size_t, RedisCommands* commands) {
    commands->Add(
        {"EVALSHA", scan_script_, "0", *cursor, pattern, absl::StrCat(kKeysAStep), absl::StrCat(ScanOp::kHeadBytes)});
  });
  if (!replies.ok()) return replies.status();
  const RedisReply& reply = replies->front();
  if (reply.kind == RedisReply::Kind::kError) return AnswerOfError(reply.text);
  return ReadFound(reply.text, cursor, scan) ? absl::OkStatus()
                                             : absl::UnavailableError("the session store answers nonsense");
}

void RedisStore::Tell(std::initializer_list<absl::string_view> command) {
  if (!Connect().ok()) return;
  const absl::Status told = connection_->CallOne(command).status();
  if (!told.ok()) Disconnect(told).IgnoreError();
}

void RedisStore::Listen(std::function<void(StoreNotice)> hear) {
  // Before anything is loaded, so that nothing is taken back at once.
  Tell({"SET", RedisInbox::KeyOf(owner_), "alive", "PX",
        absl::StrCat(absl::ToInt64Milliseconds(OwnershipTerm::kLapse))});
  inbox_ = std::make_unique<RedisInbox>(address_, options_.limits, owner_, &term_, std::move(hear));
}

void RedisStore::StopListening() {
  if (inbox_ == nullptr) return;
  Tell({"LPUSH", absl::StrCat(RedisInbox::KeyOf(owner_), ":inbox"), "."});  // no word for anyone: the inbox wakes
  inbox_.reset();
  Tell({"DEL", absl::StrCat(RedisInbox::KeyOf(owner_), ":inbox")});
}

void RedisStore::EndWhole() {
  constexpr absl::Duration kRemembered = absl::Hours(24 * 400);  // sessions that are not used for longer end in doubt
  StopListening();
  Tell({"SET", RedisInbox::KeyOf(owner_), "ended", "PX", absl::StrCat(absl::ToInt64Milliseconds(kRemembered))});
}

}  // namespace rondo
