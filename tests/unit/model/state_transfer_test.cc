#include "model/state_transfer.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelSpec StackOf(Cell cell, int64_t num_layers, int64_t hidden_size, int64_t inputs) {
  ModelSpec spec;
  spec.cell = cell;
  spec.num_layers = num_layers;
  spec.hidden_size = hidden_size;
  spec.inputs = NumberedFeatures<InputFeature>("x", inputs);
  spec.outputs = NumberedFeatures<OutputFeature>("y", 1);
  return spec;
}

Model ModelOf(const std::string& name, const ModelSpec& spec) {
  PrepareComputeThread();
  Model model;
  model.name = name;
  Network::Options options;
  options.kernel = KernelKind::kReference;
  model.network = *Network::Create(spec, RandomWeights(spec, 1), options);
  return model;
}

std::string ErrorOf(const Model& from, const Model& to, const std::vector<absl::string_view>& names = {},
                    absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
  const std::vector<float> state(static_cast<size_t>(from.spec().state_size()), 1);
  std::vector<float> result(static_cast<size_t>(to.spec().state_size()));
  const absl::Status status = TransferState(from, state, to, names, absl::MakeSpan(result));
  EXPECT_EQ(status.code(), code) << status;
  return std::string(status.message());
}

TEST(StateTransferTest, AStackTakesTheStateOfAStackOfItsShape) {
  const Model from = ModelOf("reader", StackOf(Cell::kLstm, 1, 2, 1)),
              to = ModelOf("writer", StackOf(Cell::kLstm, 1, 2, 3));
  const std::vector<float> state = {1, 2, 3, 4};
  std::vector<float> result(4);
  ASSERT_TRUE(TransferState(from, state, to, {}, absl::MakeSpan(result)).ok());
  EXPECT_THAT(result, ElementsAre(1, 2, 3, 4));
}

TEST(StateTransferTest, ElementsThatAreNamedAreTakenAlone) {
  const Model from = ModelOf("reader", StackOf(Cell::kGru, 2, 2, 1)),
              to = ModelOf("writer", StackOf(Cell::kGru, 3, 2, 1));
  const std::vector<float> state = {1, 2, 3, 4};
  std::vector<float> result(6);
  ASSERT_TRUE(TransferState(from, state, to, {"rnn_l1"}, absl::MakeSpan(result)).ok());
  EXPECT_THAT(result, ElementsAre(0, 0, 3, 4, 0, 0));
}

TEST(StateTransferTest, WhatDoesNotFitIsNamed) {
  const Model lstm = ModelOf("lstm", StackOf(Cell::kLstm, 1, 2, 1)),
              deep = ModelOf("deep", StackOf(Cell::kLstm, 2, 2, 1));
  const Model wide = ModelOf("wide", StackOf(Cell::kLstm, 1, 3, 1)), gru = ModelOf("gru", StackOf(Cell::kGru, 1, 4, 1));
  EXPECT_EQ(ErrorOf(lstm, deep),
            "the state has to fit element 'rnn_l1', and model 'lstm' has 'rnn_l0' (lstm, 4 numbers)");
  EXPECT_THAT(ErrorOf(deep, lstm), HasSubstr("element 'rnn_l1', and model 'lstm' has"));
  EXPECT_EQ(ErrorOf(lstm, wide),
            "the state is of element 'rnn_l0' (lstm, 4 numbers) of model 'lstm'; model 'wide' has 'rnn_l0' (lstm, 6 "
            "numbers)");
  EXPECT_THAT(ErrorOf(lstm, gru), HasSubstr("model 'gru' has 'rnn_l0' (gru, 4 numbers)"));
  EXPECT_THAT(ErrorOf(lstm, deep, {"attention"}), HasSubstr("element 'attention', and model 'lstm' has"));
}

TEST(StateTransferTest, ANameComesOnceAndThereAreNoMoreNamesThanElements) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  const Model lstm = ModelOf("lstm", StackOf(Cell::kLstm, 1, 2, 1)),
              deep = ModelOf("deep", StackOf(Cell::kLstm, 2, 2, 1));
  EXPECT_EQ(ErrorOf(lstm, deep, {"rnn_l0", "rnn_l0"}, kInvalid),
            "element 'rnn_l0' is named twice; wanted each name once");
  EXPECT_EQ(ErrorOf(deep, lstm, std::vector<absl::string_view>(500000, "rnn_l0"), kInvalid),
            "500000 elements are named; model 'lstm' has 1: 'rnn_l0' (lstm, 4 numbers)");
}

}  // namespace
}  // namespace rondo
