// Model files that nobody wrote in good faith: refused soon, and at no more cost than they carry.

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/json/json_text.h"
#include "tests/unit/model/largest_allocation.h"
#include "tests/unit/model/model_file_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
const absl::Duration kMaxRefusalTime = absl::Seconds(1);
#else
const absl::Duration kMaxRefusalTime = absl::Milliseconds(100);
#endif

// Processor time of this thread: what a refusal costs, however busy the machine is.
absl::Duration ThreadTime() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

class HostileModelFileTest : public ModelFileFixture {
 protected:
  // A file of `size` bytes that begins with `bytes` and was never written further.
  bool WriteSparse(const std::string& bytes, uint64_t size) {
    WriteBytes(path_, bytes);
    return truncate(path_.c_str(), static_cast<off_t>(size)) == 0;
  }
};

TEST_F(HostileModelFileTest, NoMessageNamesThePath) {
  EXPECT_EQ(ReadModelFile(path_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadModelFile(path_).status().message()), ::testing::Not(HasSubstr("m.safetensors")));
}

TEST_F(HostileModelFileTest, EveryTruncationIsAnError) {
  ASSERT_TRUE(Read(LstmTensors()).ok());
  for (auto size = static_cast<off_t>(std::filesystem::file_size(path_)); size-- > 0;) {
    ASSERT_EQ(truncate(path_.c_str(), size), 0);
    EXPECT_EQ(ReadModelFile(path_).status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST_F(HostileModelFileTest, NoFlippedByteInTheHeaderCrashes) {
  ASSERT_TRUE(Read(LstmTensors()).ok());
  const std::string bytes = ReadBytes(path_);
  const size_t header = bytes.size() - 4 * (24 + 36 + 12 + 12 + 3 + 1);
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);  // in place: many times faster
  for (size_t i = 0; i < header; ++i) {
    for (const int flip : {0x01, 0x02, 0x10, 0x20, 0x80, 0xff, 0}) {  // 0 puts the byte back
      file.seekp(static_cast<std::streamoff>(i)).put(static_cast<char>(bytes[i] ^ flip)).flush();
      const absl::Status status = ReadModelFile(path_).status();
      EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << i << ": " << status;
    }
  }
}

TEST_F(HostileModelFileTest, WhatAFileOnlyAnnouncesIsRefusedAtOnceAndNotAllocated) {
  // Every size within bounds, the file as long as it says, and nothing ever written behind the header: 1 TiB.
  const std::string spec = absl::StrReplaceAll(kTokenSpec, {{":5}", ":16777216}"}});
  const uint64_t tebibyte = uint64_t{1} << 40;
  std::string json = "{\"__metadata__\":" + Metadata(spec) + ",";
  uint64_t offset = 0;
  const auto add = [&](const std::string& name, const std::string& shape, uint64_t floats) {
    json += absl::StrCat("\"", name, "\":{\"dtype\":\"F32\",\"shape\":[", shape, "],\"data_offsets\":[", offset, ",",
                         offset + 4 * floats, "]},");
    offset += 4 * floats;
  };
  add("embedding.weight", "16777216,16384", tebibyte / 4);
  add("rnn.weight_ih_l0", "12,16384", 12 * 16384);
  add("rnn.weight_hh_l0", "12,3", 36);
  add("head.weight", "1,3", 3);
  add("head.bias", "1", 1);
  json.back() = '}';
  if (!WriteSparse(RawFile(json, ""), 8 + json.size() + offset)) GTEST_SKIP() << "no sparse files here";

  ResetLargestAllocation();
  const absl::Duration start = ThreadTime();
  const absl::Status status = ReadModelFile(path_).status();
  const absl::Duration elapsed = ThreadTime() - start;
  EXPECT_THAT(std::string(status.message()), HasSubstr("must not be sparse"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_LT(LargestAllocation(), size_t{1} << 20);
  EXPECT_LT(elapsed, kMaxRefusalTime);
}

TEST_F(HostileModelFileTest, AHostileHeaderIsRefusedQuickly) {
  std::string keys = "{";
  for (int i = 0; keys.size() < kMaxJsonBytes - 100; ++i) keys += absl::StrCat("\"", i, "\":[],");
  std::string objects = "{\"a\":[";
  while (objects.size() < kMaxJsonBytes - 100) objects += "{},";
  std::string outputs = R"({"format":1,"cell":"lstm","inputs":[{"name":"a"}],"outputs":[{"name":"0"})";
  for (int i = 1; outputs.size() < kMaxJsonBytes / 2; ++i) outputs += absl::StrCat(",{\"name\":\"", i, "\"}");
  for (const std::string& bytes :
       {RawFile(std::string(kMaxJsonBytes, '['), ""), RawFile("{\"a\":" + std::string(kMaxJsonBytes - 5, '['), ""),
        RawFile(keys + "\"x\":1}", ""), RawFile(objects + "{}]}", ""),
        RawFile(Metadata(outputs + "]}"), LstmTensors())}) {
    WriteBytes(path_, bytes);
    ResetLargestAllocation();
    const absl::Duration start = ThreadTime();
    EXPECT_EQ(ReadModelFile(path_).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_LT(ThreadTime() - start, kMaxRefusalTime) << bytes.substr(8, 80);
    EXPECT_LT(LargestAllocation(), size_t{16} << 20);
  }
}

}  // namespace
}  // namespace rondo
