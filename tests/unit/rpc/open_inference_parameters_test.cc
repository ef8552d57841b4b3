#include <gmock/gmock.h>

#include <limits>

#include "server/rpc/triton/infer_parameter.h"
#include "server/rpc/triton/open_inference_tensors.h"
#include "tests/unit/rpc/infer_requests.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

class OpenInferenceParametersTest : public ::testing::Test {
 protected:
  inference::InferParameter& Parameter(const std::string& key) { return (*request_.mutable_parameters())[key]; }

  absl::Status Read() {
    terms_ = InferTerms();
    return ReadParameters(Received(request_), &terms_);
  }

  void ExpectRefused(const std::string& text) {
    const absl::Status status = Read();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status << "; wanted: " << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  inference::ModelInferRequest request_;
  InferTerms terms_;
};

TEST_F(OpenInferenceParametersTest, WithoutAnyTheRequestIsStatelessAndHasAllTime) {
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.session_id, "");
  EXPECT_FALSE(terms_.end);
  EXPECT_FALSE(terms_.start);
  EXPECT_EQ(terms_.timeout, absl::InfiniteDuration());
}

TEST_F(OpenInferenceParametersTest, IdsAreIntegersOrTexts) {
  Parameter("sequence_id").set_int64_param(42);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.session_id, "42");
  Parameter("sequence_id").set_int64_param(-1);  // 2^64 - 1, as a client casts it
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.session_id, "18446744073709551615");
  Parameter("sequence_id").set_string_param("a-town");
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.session_id, "a-town");
}

TEST_F(OpenInferenceParametersTest, ZeroAndTheEmptyTextAreNoId) {
  for (const bool integer : {true, false}) {
    if (integer) Parameter("sequence_id").set_int64_param(0);
    if (!integer) Parameter("sequence_id").set_string_param("");
    ASSERT_TRUE(Read().ok());
    EXPECT_EQ(terms_.session_id, "");
    Parameter("sequence_start").set_bool_param(true);
    ExpectRefused("wanted a non-zero or non-empty sequence_id");
    request_.mutable_parameters()->erase("sequence_start");
    Parameter("sequence_end").set_bool_param(true);
    ExpectRefused("wanted a non-zero or non-empty sequence_id");
    request_.mutable_parameters()->erase("sequence_end");
  }
}

TEST_F(OpenInferenceParametersTest, AnIdOfAnotherTypeIsRefused) {
  const std::string text =
      "parameter 'sequence_id' has the wrong type or value; wanted an int64_param or a string_param";
  Parameter("sequence_id").set_uint64_param(5);
  ExpectRefused(text);
  Parameter("sequence_id").set_double_param(5);
  ExpectRefused(text);
  Parameter("sequence_id").set_bool_param(true);
  ExpectRefused(text);
  Parameter("sequence_id").clear_parameter_choice();
  ExpectRefused(text);
}

TEST_F(OpenInferenceParametersTest, FlagsOfAnotherTypeAreRefused) {
  Parameter("sequence_id").set_int64_param(5);
  for (const std::string key : {"sequence_start", "sequence_end", "triton_enable_empty_final_response"}) {
    const std::string text = "parameter '" + key + "' has the wrong type or value; wanted a bool_param";
    Parameter(key).set_int64_param(1);
    ExpectRefused(text);
    Parameter(key).set_string_param("true");
    ExpectRefused(text);
    Parameter(key).clear_parameter_choice();
    ExpectRefused(text);
    Parameter(key).set_bool_param(true);
    EXPECT_TRUE(Read().ok());
  }
  EXPECT_TRUE(terms_.start);
  EXPECT_TRUE(terms_.end);
}

TEST_F(OpenInferenceParametersTest, TheTimeoutIsInMicrosecondsAndZeroIsNone) {
  Parameter("timeout").set_int64_param(2500);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.timeout, absl::Microseconds(2500));
  Parameter("timeout").set_int64_param(0);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(terms_.timeout, absl::InfiniteDuration());
  Parameter("timeout").set_int64_param(std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(Read().ok());
  Parameter("timeout").set_int64_param(-1);
  ExpectRefused("parameter 'timeout' has the wrong type or value; wanted an int64_param of 0 or more");
  Parameter("timeout").set_string_param("1");
  ExpectRefused("parameter 'timeout'");
}

TEST_F(OpenInferenceParametersTest, PrioritiesAreCheckedAndOtherParametersAreTheModels) {
  Parameter("priority").set_uint64_param(3);
  Parameter("anything").set_double_param(0.5);
  EXPECT_TRUE(Read().ok());
  Parameter("priority").set_int64_param(-3);
  ExpectRefused("parameter 'priority'");
  Parameter("priority").set_int64_param(3);
  Parameter("triton_made_up").set_bool_param(true);
  ExpectRefused("parameter keys starting with 'triton_' are reserved for Triton usage: 'triton_made_up'");
}

TEST_F(OpenInferenceParametersTest, AMalformedEntryIsRefused) {
  InferRequest request;
  request.add_parameters("\x0a\x7fsequence_id");  // a key of 127 bytes, of which 11 are there
  EXPECT_EQ(ReadParameters(request, &terms_).message(), "an entry of parameters is malformed");
}

TEST_F(OpenInferenceParametersTest, VersionsArePositiveNumbers) {
  int64_t version = 7;
  EXPECT_TRUE(ReadVersion("", &version).ok());
  EXPECT_EQ(version, 0);
  EXPECT_TRUE(ReadVersion("3", &version).ok());
  EXPECT_EQ(version, 3);
  for (const char* text : {"0", "-1", "one", "1.5", "9223372036854775808"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadVersion(text, &version))) << text;
  }
}

// The bytes that protobuf writes for a map's entry.
std::string Entry(const std::string& key, const inference::InferParameter& value) {
  inference::ModelInferRequest request;
  (*request.mutable_parameters())[key] = value;
  return Received(request).parameters(0);
}

TEST(InferParameterTest, EveryTypeIsReadAsProtobufWritesIt) {
  inference::InferParameter value;
  InferParameter read;
  value.set_bool_param(true);
  const std::string entry = Entry("b", value);  // its key is read where it is
  ASSERT_TRUE(ReadParameter(entry, &read));
  EXPECT_EQ(read.key, "b");
  EXPECT_EQ(read.type, InferParameter::Type::kBool);
  EXPECT_TRUE(read.flag());
  value.set_int64_param(std::numeric_limits<int64_t>::min());
  ASSERT_TRUE(ReadParameter(Entry("i", value), &read));
  EXPECT_EQ(read.type, InferParameter::Type::kInt64);
  EXPECT_EQ(read.integer(), std::numeric_limits<int64_t>::min());
  value.set_uint64_param(std::numeric_limits<uint64_t>::max());
  ASSERT_TRUE(ReadParameter(Entry("u", value), &read));
  EXPECT_EQ(read.type, InferParameter::Type::kUint64);
  EXPECT_EQ(read.number, std::numeric_limits<uint64_t>::max());
  value.set_double_param(0.5);
  ASSERT_TRUE(ReadParameter(Entry("d", value), &read));
  EXPECT_EQ(read.type, InferParameter::Type::kDouble);
  value.set_string_param("text");
  const std::string bytes = Entry("s", value);
  ASSERT_TRUE(ReadParameter(bytes, &read));
  EXPECT_EQ(read.type, InferParameter::Type::kString);
  EXPECT_EQ(read.text, "text");
  value.clear_parameter_choice();
  ASSERT_TRUE(ReadParameter(Entry("n", value), &read));
  EXPECT_EQ(read.type, InferParameter::Type::kNone);
}

TEST(InferParameterTest, TheLastValueCountsAndUnknownFieldsAreSkipped) {
  inference::InferParameter first, second;
  first.set_string_param("5");
  second.set_int64_param(5);
  const std::string unknown("\x1a\x02xx\x20\x07\x2d\x01\x02\x03\x04\x31\x01\x02\x03\x04\x05\x06\x07\x08", 20);
  const std::string bytes = Entry("k", first) + unknown + Entry("k", second);
  InferParameter read;
  ASSERT_TRUE(ReadParameter(bytes, &read));
  EXPECT_EQ(read.type, InferParameter::Type::kInt64);
  EXPECT_EQ(read.integer(), 5);
}

TEST(InferParameterTest, BytesThatEndEarlyAreNoEntry) {
  inference::InferParameter value;
  value.set_string_param("text");
  const std::string whole = Entry("key", value);
  InferParameter read;
  for (size_t size = 1; size < whole.size(); ++size) {
    const bool at_end_of_key = size == 2 + 3;
    EXPECT_EQ(ReadParameter(absl::string_view(whole).substr(0, size), &read), at_end_of_key) << size;
  }
  EXPECT_FALSE(ReadParameter(std::string(11, '\xff'), &read));                          // a number without an end
  EXPECT_FALSE(ReadParameter("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k", &read));  // 2^64 - 1 bytes of key
  EXPECT_FALSE(ReadParameter("\x0b\x0c", &read));                                       // a group
}

}  // namespace
}  // namespace rondo
