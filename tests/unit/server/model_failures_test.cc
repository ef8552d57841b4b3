// What the registry does with models that it cannot load or find.

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/refusal/refusal.h"
#include "tests/count_of.h"
#include "tests/unit/server/registry_fixture.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ModelRegistryTest, BadReplacementIsNamedAndTheOldOneStays) {
  Put("weather/1");
  Put("energy/1");
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  PutNonsense("weather/1");
  const absl::Status first = registry_->Reload();
  EXPECT_EQ(first.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(first.message()), testing::StartsWith("model \"weather\" version 1: "));
  EXPECT_EQ(registry_->Reload(), first) << "still so";
  EXPECT_EQ(*registry_->Find("weather", 0), before);
  EXPECT_EQ(registry_->ListKnown()[1].served, before);
  EXPECT_EQ(registry_->ListKnown()[1].failure, first);
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("rondo_model_loaded{model=\"weather\",version=\"1\"} 0\n"));
  Put("weather/1", Cell::kGru);
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ((*registry_->Find("weather", 0))->spec().cell, Cell::kGru);

  const std::string log = Log();
  EXPECT_EQ(CountOf("level=error event=model_load_failed model=weather version=1 file=", log), 1);
  EXPECT_THAT(log, HasSubstr("serving=\"the one before\""));
}

TEST_F(ModelRegistryTest, OneBadModelDoesNotKeepOthersOut) {
  PutNonsense("bad/1");
  Put("weather/1");
  Open();
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
  EXPECT_FALSE(registry_->Reload().ok());
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("rondo_model_info{model=\"bad\"")));
}

TEST_F(ModelRegistryTest, AModelThatDoesNotLoadIsKnownWithItsReasonUntilItIsRepaired) {
  PutNonsense("bad/1");
  Put("weather/1");
  Open();
  const std::vector<ModelRegistry::Known> known = registry_->ListKnown();
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].name, "bad");
  EXPECT_EQ(known[0].version, 1);
  EXPECT_EQ(known[0].served, nullptr);
  EXPECT_THAT(std::string(known[0].failure.message()), testing::StartsWith("model \"bad\" version 1: "));
  EXPECT_TRUE(known[1].failure.ok());
  for (const int64_t version : {0, 1}) {
    EXPECT_EQ(registry_->Find("bad", version).status(), Refuse(Why::kModelAway, known[0].failure.message()));
  }
  EXPECT_EQ(registry_->Find("bad", 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr("rondo_model_loaded{model=\"bad\",version=\"1\"} 0\n"),
                                          HasSubstr("rondo_model_loaded{model=\"weather\",version=\"1\"} 1\n"),
                                          HasSubstr("rondo_model_load_failures_total 1\n")));
  Put("bad/1");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_TRUE(registry_->Find("bad", 0).ok());
  EXPECT_TRUE(registry_->ListKnown()[0].failure.ok());
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("rondo_model_loaded{model=\"bad\",version=\"1\"} 1\n"));
}

TEST_F(ModelRegistryTest, AFailureLeavesWithItsFolder) {
  PutNonsense("bad/1");
  Open();
  fs::remove_all(root_ / "bad");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_THAT(registry_->ListKnown(), IsEmpty());
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("\"bad\"")));
}

TEST_F(ModelRegistryTest, RepositoryThatVanishesTakesNothingAway) {
  Put("weather/1");
  Open();
  const fs::path away = root_.string() + ".away";
  fs::rename(root_, away);
  const absl::Status status = registry_->Reload();
  fs::rename(away, root_);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
}

TEST_F(ModelRegistryTest, WhatCannotBeLookedAtForAWhileTakesNothingAway) {
  Put("weather/1");
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  // A link to itself: there, but not to be read, by root either.
  for (const std::string& unreadable :
       {PathOf("weather/1"), (root_ / "weather/1").string(), (root_ / "weather").string()}) {
    const fs::path away = root_ / ".away";
    fs::rename(unreadable, away);
    fs::create_symlink(unreadable, unreadable);
    registry_->Reload().IgnoreError();
    registry_->Reload().IgnoreError();
    ASSERT_THAT(Listed(), ElementsAre("weather/1")) << unreadable;
    EXPECT_EQ(*registry_->Find("weather", 0), before) << unreadable;
    fs::remove(unreadable);
    fs::rename(away, unreadable);
    EXPECT_TRUE(registry_->Reload().ok()) << unreadable << " is back";
  }
  const std::string log = Log();
  EXPECT_EQ(CountOf("event=model_load_failed", log), 2) << log;
  EXPECT_EQ(CountOf("event=model_ignored", log), 1) << log;
}

TEST_F(ModelRegistryTest, FileThatDoesNotLoadIsAnError) {
  PutNonsense("bad/1");
  EXPECT_EQ(OpenFiles({PathOf("bad/1")}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenFiles({root_ / "none.safetensors"}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rondo
