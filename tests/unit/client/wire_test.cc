#include "client/wire.h"

#include "client/cli/row_mapping.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/client/client_vectors.h"

namespace rondo {
namespace {

using google::protobuf::FieldDescriptor;

// A model with every field of the wire set, also with one that is added after this was written.
v1::Model FullModel() {
  v1::Model model;
  const google::protobuf::Reflection& reflection = *model.GetReflection();
  for (int i = 0; i < model.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = model.GetDescriptor()->field(i);
    const bool repeated = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        repeated ? reflection.AddString(&model, field, "text") : reflection.SetString(&model, field, field->name());
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        repeated ? reflection.AddDouble(&model, field, 0.5) : reflection.SetDouble(&model, field, field->number());
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&model, field, field->number());
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&model, field, field->number());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&model, field, true);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        break;
      default:
        ADD_FAILURE() << field->name() << " has a type that this test does not know";
    }
  }
  v1::Feedback* link = model.add_feedback();
  link->set_output("out");
  link->set_input("in");
  return model;
}

v1::Model ToProto(const ModelDescription& model) {
  v1::Model proto;
  proto.set_name(model.name);
  proto.set_version(model.version);
  proto.set_cell(model.cell);
  proto.set_num_layers(model.num_layers);
  proto.set_hidden_size(model.hidden_size);
  proto.set_input_size(model.input_size);
  proto.set_output_size(model.output_size);
  proto.mutable_inputs()->Add(model.inputs.begin(), model.inputs.end());
  proto.set_tokens(static_cast<int32_t>(model.tokens));
  proto.mutable_outputs()->Add(model.outputs.begin(), model.outputs.end());
  proto.set_horizon(model.horizon);
  proto.set_head(model.head);
  proto.mutable_quantiles()->Add(model.quantiles.begin(), model.quantiles.end());
  proto.set_needs_times(model.needs_times);
  for (const FeedbackDescription& link : model.feedback) {
    v1::Feedback* added = proto.add_feedback();
    added->set_output(link.output);
    added->set_input(link.input);
  }
  proto.set_step_seconds(model.step_seconds);
  proto.set_kernel(model.kernel);
  proto.set_weights(model.weights);
  proto.set_whole_sequence(model.whole_sequence);
  proto.set_deterministic(model.deterministic);
  for (const std::string& text : model.vocabulary) proto.add_vocabulary(text);
  proto.set_state(model.state);
  proto.set_reason(model.reason);
  return proto;
}

TEST(WireTest, EveryFactOfAModelReachesTheUser) {
  const v1::Model model = FullModel();
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(model, ToProto(ToModelDescription(model)))) << difference;
}

TEST(WireTest, AGenerationSaysThatItsSessionMustExist) {
  GenerateInput input;
  EXPECT_FALSE(ToGenerateRequest("m", input).must_exist());
  input.must_exist = true;
  EXPECT_TRUE(ToGenerateRequest("m", input).must_exist());
}

// The Python client's tests read these vectors too.
TEST(OutputColumnsTest, AreThoseOfTheVectors) {
  for (const nlohmann::json& golden : ReadClientVectors("columns.json")) {
    ModelDescription model;
    model.head = golden["head"];
    model.horizon = golden["horizon"];
    model.outputs = golden["outputs"].get<std::vector<std::string>>();
    model.quantiles = golden.value("quantiles", std::vector<double>());
    const auto columns = golden["columns"].get<std::vector<std::string>>();
    model.output_size = static_cast<int>(columns.size());
    EXPECT_EQ(OutputColumns(model), columns) << golden["name"];
  }
}

}  // namespace
}  // namespace rondo
