#include "server/store/session_record.h"

#include <zlib.h>

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

constexpr size_t kFormatAt = 8;
constexpr size_t kKindAt = 12;
constexpr size_t kIdAt = 24;

// Every field differs from every other and from its default.
SessionRecord Sample() {
  SessionRecord record;
  record.id = "pump-7";
  record.model = {"weather", 3, 0xfedcba9876543210u, "lstm", 2, 3, 5, 4};
  record.position = 1000;
  record.idle_timeout_ns = 600'000'000'000;
  record.last_used_ns = 1'700'000'000'123'456'789;
  record.last_timesteps = 2;
  record.last_fingerprint = 0x8123456789abcdefu;
  record.last_time = -86400;
  record.last_reply = {1.5f, -2.25f, 3e-38f, 4, 5, 6, 7, 8};
  for (int i = 0; i < 12; ++i) record.state.push_back(std::ldexp(1.0f, -i) * (i % 2 == 0 ? 1 : -1));
  return record;
}

void ExpectEqual(const SessionRecord& a, const SessionRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.model.name, b.model.name);
  EXPECT_EQ(a.model.version, b.model.version);
  EXPECT_EQ(a.model.fingerprint, b.model.fingerprint);
  EXPECT_EQ(a.model.cell, b.model.cell);
  EXPECT_EQ(a.model.num_layers, b.model.num_layers);
  EXPECT_EQ(a.model.hidden_size, b.model.hidden_size);
  EXPECT_EQ(a.model.input_size, b.model.input_size);
  EXPECT_EQ(a.model.output_size, b.model.output_size);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.idle_timeout_ns, b.idle_timeout_ns);
  EXPECT_EQ(a.last_used_ns, b.last_used_ns);
  EXPECT_EQ(a.ends_at_ns, b.ends_at_ns);
  EXPECT_EQ(a.last_timesteps, b.last_timesteps);
  EXPECT_EQ(a.last_fingerprint, b.last_fingerprint);
  EXPECT_EQ(a.last_time, b.last_time);
  EXPECT_EQ(a.last_reply, b.last_reply);
  EXPECT_EQ(a.state, b.state);
}

// `bytes` with the length and the checksum that its content should have: what a forger would send.
std::string Sealed(std::string bytes) {
  for (size_t i = 0; i < 8; ++i) bytes[16 + i] = static_cast<char>(uint64_t{bytes.size()} >> (8 * i));
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size() - 4));
  for (size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<char>(sum >> (8 * i));
  return bytes;
}

absl::Status Refusal(absl::string_view bytes) { return DecodeRecord(bytes).status(); }
absl::Status Refusal(const SessionRecord& record) { return DecodeRecord(Encode(record)).status(); }

// Of a model that is a graph: any number of floats may be its state.
SessionRecord GraphSample() {
  SessionRecord record = Sample();
  record.model.graph = 0x123456789abcdef1u;
  record.model.cell.clear();
  record.model.num_layers = record.model.hidden_size = 0;
  record.state.resize(5);
  return record;
}

TEST(SessionRecordTest, AGraphsSessionComesBackInAFormatOfItsOwn) {
  const std::string bytes = Encode(GraphSample());
  EXPECT_EQ(bytes[8], 2);
  EXPECT_EQ(Encode(Sample())[8], 1);
  const auto decoded = DecodeSession(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectEqual(*decoded, GraphSample());
  EXPECT_EQ(decoded->model.graph, GraphSample().model.graph);
  std::string as_stack = bytes;
  as_stack[8] = 1;
  EXPECT_FALSE(DecodeRecord(Sealed(as_stack)).ok());
}

TEST(SessionRecordTest, EveryFieldComesBack) {
  const auto decoded = DecodeSession(Encode(Sample()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectEqual(*decoded, Sample());
}

TEST(SessionRecordTest, AnEndThatIsSetComesBackInFormatsOfItsOwn) {
  SessionRecord record = Sample();
  record.ends_at_ns = 1'800'000'000'000'000'001;
  const std::string stack = Encode(record);
  EXPECT_EQ(stack[kFormatAt], 3);
  ExpectEqual(*DecodeSession(stack), record);
  record.model.graph = 7;
  record.model.cell.clear();
  record.model.num_layers = record.model.hidden_size = 0;
  const std::string graph = Encode(record);
  EXPECT_EQ(graph[kFormatAt], 4);
  ExpectEqual(*DecodeSession(graph), record);
  for (size_t size = 0; size < stack.size(); ++size) EXPECT_FALSE(DecodeSession(stack.substr(0, size)).ok()) << size;
}

TEST(SessionRecordTest, ASessionThatHadNoRequestComesBack) {
  SessionRecord record;
  record.id = std::string(193, '~');
  record.model = {"m", std::numeric_limits<int64_t>::max(), 0, "gru", 1, 1, 1, 1};
  record.state = {0};
  const auto decoded = DecodeSession(Encode(record));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ExpectEqual(*decoded, record);
}

TEST(SessionRecordTest, AnEndedSessionComesBackAndIsNoLiveOne) {
  const std::string bytes = Encode(EndedRecord{"pump-7", "was deleted"});
  const auto decoded = DecodeRecord(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_TRUE(std::holds_alternative<EndedRecord>(*decoded));
  EXPECT_EQ(std::get<EndedRecord>(*decoded).id, "pump-7");
  EXPECT_EQ(std::get<EndedRecord>(*decoded).reason, "was deleted");
  EXPECT_EQ(DecodeSession(bytes).status().code(), absl::StatusCode::kDataLoss);
}

TEST(SessionRecordTest, TheHeadTellsTheModelWithoutWhatIsBehindIt) {
  SessionRecord record = Sample();
  record.id = std::string(193, 'i');
  record.model.name = std::string(128, 'm');
  record.state.assign(1000, 0.5f);
  const std::string bytes = Encode(record);
  const absl::StatusOr<RecordHead> head = DecodeHead(absl::string_view(bytes).substr(0, 512));
  ASSERT_EQ(head.status(), absl::OkStatus());
  EXPECT_FALSE(head->ended);
  EXPECT_EQ(head->model, record.model.name);
  const absl::StatusOr<RecordHead> ended = DecodeHead(Encode(EndedRecord{"pump-7", "deleted by its owner"}));
  EXPECT_TRUE(ended.ok() && ended->ended);
  for (const size_t size : {size_t{0}, size_t{27}, size_t{100}, size_t{300}}) {
    EXPECT_EQ(DecodeHead(absl::string_view(bytes).substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
}

// README.md of server/store describes these bytes; stored sessions hold them.
TEST(SessionRecordTest, TheBytesOfFormat1Stay) {
  const std::string bytes = Encode(EndedRecord{"ab", "c"});
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x89RONDO\r\n", 8));
  EXPECT_EQ(bytes.substr(8, 23), std::string("\1\0\0\0"
                                             "\2\0\0\0"
                                             "\x23\0\0\0\0\0\0\0"
                                             "\2\0ab"
                                             "\1\0c",
                                             23));
  // The checksum that another implementation of README.md's tables gives.
  const std::string sample = Encode(Sample());
  EXPECT_EQ(sample.substr(sample.size() - 4), "\xd3\xab\x0a\x87");
}

TEST(SessionRecordTest, EveryTruncationIsRefused) {
  for (const std::string& bytes : {Encode(Sample()), Encode(EndedRecord{"s", "was deleted"})}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(Refusal(absl::string_view(bytes).substr(0, size)).code(), absl::StatusCode::kDataLoss) << size;
    }
    EXPECT_EQ(Refusal(bytes + '\0').code(), absl::StatusCode::kDataLoss);
  }
}

TEST(SessionRecordTest, EveryFlippedBitIsRefused) {
  for (const std::string& bytes : {Encode(Sample()), Encode(EndedRecord{"s", "was deleted"})}) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      EXPECT_EQ(Refusal(damaged).code(), absl::StatusCode::kDataLoss) << bit;
    }
  }
}

TEST(SessionRecordTest, ForeignBytesAreRefusedAsSuch) {
  for (const std::string& bytes : {std::string(), std::string("{\"json\":1}"), std::string(1000, '\0')}) {
    EXPECT_THAT(std::string(Refusal(bytes).message()), HasSubstr("do not begin as a session record")) << bytes;
  }
}

TEST(SessionRecordTest, ANewerFormatIsNotDamage) {
  std::string bytes = Encode(Sample());
  bytes[kFormatAt] = 5;
  const absl::Status status = Refusal(Sealed(bytes));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has format 5; this version of Rondo knows formats up to 4"));
  bytes[kFormatAt] = 0;
  EXPECT_EQ(Refusal(Sealed(bytes)).code(), absl::StatusCode::kDataLoss);
}

TEST(SessionRecordTest, AnUnknownKindIsRefused) {
  std::string bytes = Encode(Sample());
  bytes[kKindAt] = 3;
  EXPECT_THAT(std::string(Refusal(Sealed(bytes)).message()), HasSubstr("of kind 3"));
}

TEST(SessionRecordTest, FieldsThatAnnounceMoreThanIsCarriedAreRefused) {
  std::string text = Encode(EndedRecord{"ab", "c"});
  text[kIdAt] = 40;
  EXPECT_THAT(std::string(Refusal(Sealed(text)).message()), HasSubstr("id takes 40 bytes; 5 are left"));
  std::string most = Encode(Sample());
  const size_t state_count_at = most.size() - 4 - 12 * 4 - 4;
  for (size_t i = 0; i < 4; ++i) most[state_count_at + i] = '\xff';
  EXPECT_THAT(std::string(Refusal(Sealed(most)).message()), HasSubstr("state takes 17179869180 bytes; 48 are left"));
}

TEST(SessionRecordTest, BytesAfterTheLastFieldAreRefused) {
  std::string bytes = Encode(Sample());
  bytes.insert(bytes.size() - 4, "x");
  EXPECT_THAT(std::string(Refusal(Sealed(bytes)).message()), HasSubstr("1 bytes after its last field"));
}

TEST(SessionRecordTest, NumbersThatAreNotFiniteAreRefused) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), kInfinite, -kInfinite}) {
    SessionRecord record = Sample();
    record.state[11] = value;
    EXPECT_THAT(std::string(Refusal(record).message()), HasSubstr("state has a number that is not finite"));
    record = Sample();
    record.last_reply[0] = value;
    EXPECT_THAT(std::string(Refusal(record).message()), HasSubstr("last reply has a number that is not finite"));
  }
}

struct Contradiction {
  const char* name;
  void (*make)(SessionRecord*);
  const char* message;
};

class ContradictionTest : public testing::TestWithParam<Contradiction> {};

TEST_P(ContradictionTest, IsRefusedByName) {
  SessionRecord record = Sample();
  GetParam().make(&record);
  const absl::Status status = Refusal(record);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Records, ContradictionTest,
    testing::Values(
        Contradiction{"no_id", [](SessionRecord* r) { r->id.clear(); }, "id has 0 bytes; wanted 1 to 193"},
        Contradiction{"long_id", [](SessionRecord* r) { r->id.assign(194, 'a'); }, "id has 194 bytes"},
        Contradiction{"unprintable_id", [](SessionRecord* r) { r->id = "a\nb"; }, "id is not printable"},
        Contradiction{"unprintable_model", [](SessionRecord* r) { r->model.name = "\xff"; }, "model name is not"},
        Contradiction{"cell", [](SessionRecord* r) { r->model.cell = "cnn"; }, "cell is unknown"},
        Contradiction{"no_layer", [](SessionRecord* r) { r->model.num_layers = 0; }, "num_layers is 0"},
        Contradiction{"no_output", [](SessionRecord* r) { r->model.output_size = 0; }, "output_size is 0"},
        Contradiction{"layers", [](SessionRecord* r) { r->model.num_layers = 3; }, "state has 12 numbers"},
        Contradiction{"huge_sizes", [](SessionRecord* r) { r->model.num_layers = r->model.hidden_size = 0xffffffff; },
                      "state has 12 numbers"},
        Contradiction{"other_cell", [](SessionRecord* r) { r->model.cell = "gru"; }, "state has 12 numbers"},
        Contradiction{"no_state", [](SessionRecord* r) { r->state.clear(); }, "state has 0 numbers"},
        Contradiction{"half_row", [](SessionRecord* r) { r->last_reply.pop_back(); }, "last reply has 7 numbers"},
        Contradiction{"more_rows", [](SessionRecord* r) { r->last_timesteps = 1; }, "last reply has 8 numbers"},
        Contradiction{"negative_position", [](SessionRecord* r) { r->position = -1; }, "position is negative"},
        Contradiction{"position_near_the_last", [](SessionRecord* r) { r->position = (int64_t{1} << 62) + 1; },
                      "position is above 2^62"},
        Contradiction{"no_request", [](SessionRecord* r) { r->last_timesteps = 0, r->last_reply.clear(); },
                      "last request is missing"},
        Contradiction{"no_reply", [](SessionRecord* r) { r->last_reply.clear(); }, "last reply is missing"},
        Contradiction{"no_such_year", [](SessionRecord* r) { r->last_time = std::numeric_limits<int64_t>::max(); },
                      "last time is not in the years 1 to 9999"},
        Contradiction{"long_request", [](SessionRecord* r) { r->position = 1; }, "longer than all timesteps"},
        Contradiction{"negative_request", [](SessionRecord* r) { r->last_timesteps = -1; }, "longer than all"},
        Contradiction{"no_timeout", [](SessionRecord* r) { r->idle_timeout_ns = 0; }, "idle timeout is not above 0"}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace rondo
