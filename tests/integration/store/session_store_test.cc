// What every SessionStore does, asked of each real one.
#include "server/store/session_store.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/store/store_calls.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

// Where the stores of one test keep their values.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual std::string name() const = 0;  // for OpenSessionStore
};

class RocksdbStorage : public Storage {
 public:
  std::string name() const override { return absl::StrCat("rocksdb:", folder_.path(), "/made/for/it"); }

 private:
  const TemporaryFolder folder_;
};

class RedisStorage : public Storage {
 public:
  std::string name() const override { return redis_.name(); }

 private:
  const RedisServer redis_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Storage>()> make;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

class SessionStoreTest : public testing::TestWithParam<Kind> {
 protected:
  SessionStoreTest() : storage_(GetParam().make()) { Open(); }

  // A process at a time has it, so the one before goes first.
  void Open() {
    store_.reset();
    auto opened = OpenSessionStore(storage_->name());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  const std::unique_ptr<Storage> storage_;
  std::unique_ptr<SessionStore> store_;
};

TEST_P(SessionStoreTest, AnIdThatWasNeverSavedIsAbsentAndBelongsToTheFirstEpoch) {
  const SessionStore::LoadOp load = LoadOne(*store_, "nobody");
  EXPECT_EQ(load.status, absl::OkStatus());
  EXPECT_EQ(load.value, "");
  EXPECT_EQ(load.epoch, 1u);
  EXPECT_EQ(SaveOne(*store_, "nobody", "now", load.epoch), absl::OkStatus());
}

TEST_P(SessionStoreTest, WhatWasSavedLastIsLoaded) {
  ASSERT_EQ(SaveOne(*store_, "a", "first, and longer than the second"), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "b", "other"), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "a", "second"), absl::OkStatus());
  EXPECT_EQ(LoadOne(*store_, "a").value, "second");
  EXPECT_EQ(LoadOne(*store_, "b").value, "other");
}

TEST_P(SessionStoreTest, ValuesOutliveTheStoreThatSavedThem) {
  ASSERT_EQ(SaveOne(*store_, "a", "kept"), absl::OkStatus());
  Open();
  const SessionStore::LoadOp load = LoadOne(*store_, "a");
  EXPECT_EQ(load.value, "kept");
  ASSERT_EQ(SaveOne(*store_, "a", "newer", load.epoch), absl::OkStatus());
  Open();
  EXPECT_EQ(LoadOne(*store_, "a").value, "newer");
}

TEST_P(SessionStoreTest, TheLoaderOwnsTheIdAndSavesAsOftenAsItLikes) {
  ASSERT_EQ(SaveOne(*store_, "a", "0"), absl::OkStatus());
  for (int round = 1; round <= 3; ++round) {
    const SessionStore::LoadOp load = LoadOne(*store_, "a");
    EXPECT_EQ(load.value, absl::StrCat(10 * (round - 1)));
    EXPECT_EQ(SaveOne(*store_, "a", absl::StrCat(round), load.epoch), absl::OkStatus());
    EXPECT_EQ(SaveOne(*store_, "a", absl::StrCat(10 * round), load.epoch), absl::OkStatus());
  }
}

TEST_P(SessionStoreTest, BytesAndIdsComeBackAsTheyWere) {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  const std::vector<std::string> texts = {all_bytes, std::string(3, '\0'), "\r\n$5\r\n*1\r\n",
                                          "%s%b%n",  "{a} b\"c'",          "x"};
  for (const std::string& id : texts) {
    for (const std::string& value : texts) {
      ASSERT_EQ(SaveOne(*store_, id, value), absl::OkStatus());
      EXPECT_EQ(LoadOne(*store_, id).value, value);
      // The id is loaded, so it has moved on from the first epoch.
      ASSERT_EQ(SaveOne(*store_, id, value, LoadOne(*store_, id).epoch, absl::UnixEpoch()), absl::OkStatus());
      store_->DropExpired(absl::Now());
    }
  }
}

TEST_P(SessionStoreTest, BigValuesComeBackWhole) {
  for (const size_t size : {size_t{1} << 20, size_t{9} << 20}) {
    const std::string id = absl::StrCat("big", size);
    std::string value(size, 'x');
    for (size_t i = 0; i < size; i += 1000) value[i] = static_cast<char>(i / 1000);
    ASSERT_EQ(SaveOne(*store_, id, value), absl::OkStatus());
    EXPECT_TRUE(LoadOne(*store_, id).value == value);
  }
}

TEST_P(SessionStoreTest, TenThousandIdsInOneCallEachGetTheirAnswer) {
  constexpr size_t kIds = 10'000;
  std::vector<std::string> ids(kIds);
  std::vector<std::string> values(kIds);
  std::vector<SessionStore::SaveOp> saves(kIds);
  std::vector<SessionStore::LoadOp> loads(kIds);
  for (size_t i = 0; i < kIds; ++i) {
    ids[i] = absl::StrCat("id", i);
    values[i] = absl::StrCat(std::string(500, 'v'), i);
    saves[i].id = ids[i];
    saves[i].value = values[i];
    saves[i].status = absl::UnknownError("not answered");
    loads[i].id = ids[i];
    loads[i].status = absl::UnknownError("not answered");
  }
  // Every second one, so that half of them is absent.
  std::vector<SessionStore::SaveOp> half;
  for (size_t i = 0; i < kIds; i += 2) half.push_back(saves[i]);
  store_->Save(absl::MakeSpan(half));
  store_->Load(absl::MakeSpan(loads));
  for (const SessionStore::SaveOp& save : half) ASSERT_EQ(save.status, absl::OkStatus());
  for (size_t i = 0; i < kIds; ++i) {
    ASSERT_EQ(loads[i].status, absl::OkStatus());
    ASSERT_EQ(loads[i].value, i % 2 == 0 ? values[i] : "");
  }
}

// The ids that a look through the whole store finds.
std::vector<std::string> FindAll(SessionStore& store, const std::string& prefix) {
  std::vector<std::string> ids;
  SessionStore::ScanOp scan;
  scan.prefix = prefix;
  do {
    store.Scan(&scan);
    EXPECT_EQ(scan.status, absl::OkStatus());
    for (const SessionStore::ScanOp::Entry& entry : scan.entries) {
      ids.push_back(entry.id);
      EXPECT_EQ(entry.head, "v" + entry.id);
    }
  } while (!scan.from.empty());
  return ids;
}

TEST_P(SessionStoreTest, AScanFindsWhatBeginsSoAndNothingOfAnotherTenant) {
  for (const char* const id : {"a*1", "a*2", "ab1", "b", "acme a*1", "acme a[2", "acme b", "acmea a*3", "z z"}) {
    ASSERT_EQ(SaveOne(*store_, id, absl::StrCat("v", id)), absl::OkStatus());
  }
  EXPECT_THAT(FindAll(*store_, ""), testing::UnorderedElementsAre("a*1", "a*2", "ab1", "b"));
  EXPECT_THAT(FindAll(*store_, "a*"), testing::UnorderedElementsAre("a*1", "a*2"));
  EXPECT_THAT(FindAll(*store_, "acme "), testing::UnorderedElementsAre("acme a*1", "acme a[2", "acme b"));
  EXPECT_THAT(FindAll(*store_, "acme a["), testing::UnorderedElementsAre("acme a[2"));
  EXPECT_THAT(FindAll(*store_, "nobody "), testing::IsEmpty());
}

TEST_P(SessionStoreTest, AScanPassesOverThousandsOfTenantsAndNamesNone) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(absl::StrCat("tenant", i, " s"));
  std::vector<SessionStore::SaveOp> saves(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) saves[i].id = saves[i].value = ids[i];
  store_->Save(absl::MakeSpan(saves));
  ASSERT_EQ(SaveOne(*store_, "z", "vz"), absl::OkStatus());
  std::vector<std::string> found;
  SessionStore::ScanOp scan;
  do {
    store_->Scan(&scan);
    ASSERT_EQ(scan.status, absl::OkStatus());
    EXPECT_EQ(scan.from.find("tenant"), std::string::npos) << scan.from;
    for (const SessionStore::ScanOp::Entry& entry : scan.entries) found.push_back(entry.id);
  } while (!scan.from.empty());
  EXPECT_THAT(found, testing::Contains("z"));
  EXPECT_THAT(found, testing::Each(std::string("z")));
}

TEST_P(SessionStoreTest, AScanOfManyComesInPartsAndTakesNothingOver) {
  std::vector<std::string> ids;
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) {
    ids.push_back(absl::StrCat(i % 2 == 0 ? "" : "t ", "s", i));
    values.push_back("v" + ids.back());
  }
  std::vector<SessionStore::SaveOp> saves(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    saves[i].id = ids[i];
    saves[i].value = values[i];
  }
  store_->Save(absl::MakeSpan(saves));
  SessionStore::ScanOp first;
  store_->Scan(&first);
  EXPECT_FALSE(first.from.empty());
  EXPECT_LT(first.entries.size(), 2500u);
  std::vector<std::string> found = FindAll(*store_, "");
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());  // Redis may show one twice
  EXPECT_EQ(found.size(), 2500u);
  EXPECT_EQ(SaveOne(*store_, "s0", "still ours", 1), absl::OkStatus());
}

TEST_P(SessionStoreTest, AScanBringsOnlyTheHeadOfALongValue) {
  const std::string value = std::string(SessionStore::ScanOp::kHeadBytes, 'h') + std::string(100'000, 'v');
  ASSERT_EQ(SaveOne(*store_, "s", value), absl::OkStatus());
  SessionStore::ScanOp scan;
  store_->Scan(&scan);
  ASSERT_EQ(scan.status, absl::OkStatus());
  ASSERT_EQ(scan.entries.size(), 1u);
  EXPECT_EQ(scan.entries[0].head, std::string(SessionStore::ScanOp::kHeadBytes, 'h'));
}

TEST_P(SessionStoreTest, ExpiredValuesAreGoneAndOthersStay) {
  const absl::Time now = absl::Now();
  ASSERT_EQ(SaveOne(*store_, "past", "1", 1, now - absl::Seconds(1)), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "future", "2", 1, now + absl::Hours(1)), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "never", "3", 1, absl::InfiniteFuture()), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "long ago", "4", 1, absl::InfinitePast()), absl::OkStatus());
  store_->DropExpired(now);
  EXPECT_EQ(LoadOne(*store_, "past").value, "");
  EXPECT_EQ(LoadOne(*store_, "long ago").value, "");
  EXPECT_EQ(LoadOne(*store_, "future").value, "2");
  EXPECT_EQ(LoadOne(*store_, "never").value, "3");
}

TEST_P(SessionStoreTest, ASaveMovesTheExpiry) {
  const absl::Time now = absl::Now();
  ASSERT_EQ(SaveOne(*store_, "a", "1", 1, now + absl::Hours(1)), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "a", "2", 1, absl::InfiniteFuture()), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "b", "1", 1, absl::InfiniteFuture()), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store_, "b", "2", 1, now - absl::Hours(1)), absl::OkStatus());
  store_->DropExpired(now);
  EXPECT_EQ(LoadOne(*store_, "a").value, "2");
  EXPECT_EQ(LoadOne(*store_, "b").value, "");
}

TEST_P(SessionStoreTest, NothingAskedForIsNothingDone) {
  store_->Load({});
  store_->Save({});
  store_->DropExpired(absl::Now());
}

INSTANTIATE_TEST_SUITE_P(Real, SessionStoreTest,
                         testing::Values(Kind{"Rocksdb", [] { return std::make_unique<RocksdbStorage>(); }},
                                         Kind{"Redis", [] { return std::make_unique<RedisStorage>(); }}),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST(OpenSessionStoreTest, ANameOfNoStoreIsRefusedAndSaysWhatIsWanted) {
  for (const char* name :
       {"", "memory", "rocksdb", "rocksdb:", "leveldb:/tmp", "/tmp/somewhere", "redis:", "redis://:x"}) {
    const auto opened = OpenSessionStore(name);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(opened.status().message()), testing::HasSubstr("wanted")) << name;
  }
}

}  // namespace
}  // namespace rondo
