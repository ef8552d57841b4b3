#ifndef RONDO_TESTS_UNIT_MODEL_SAMPLE_MODELS_H_
#define RONDO_TESTS_UNIT_MODEL_SAMPLE_MODELS_H_

#include "model/model_file.h"

namespace rondo {

// Small valid models for tests: every weight is set and no two tensors are alike.
inline void FillWeights(ModelFile* model) {
  float value = 0;
  for (const TensorSlot& slot : TensorSlots(model->spec, &model->weights)) {
    slot.values->clear();
    for (int64_t i = 0; i < slot.shape.size(); ++i) slot.values->push_back(value += 0.001f);
  }
}

// Two named inputs, two calendar pairs, one output over three steps.
inline ModelFile WeatherModel(Cell cell, int64_t num_layers) {
  ModelFile model;
  model.spec.cell = cell;
  model.spec.num_layers = num_layers;
  model.spec.hidden_size = 3;
  model.spec.inputs = {{"temp", 16.4, 7.3}, {"wind", 3, 1.5}};
  model.spec.calendar = {Calendar::kHour, Calendar::kDayOfYear};
  model.spec.outputs = {{"temp", 0.1, 3.1, "temp"}};
  model.spec.horizon = 3;
  model.spec.feedback = {{"temp", "temp"}};
  model.spec.step_seconds = 86400;
  model.spec.training_json = R"({"epochs":7})";
  FillWeights(&model);
  return model;
}

// Ten tokens through an embedding, softmax over two classes.
inline ModelFile TokenModel(Cell cell) {
  ModelFile model;
  model.spec.cell = cell;
  model.spec.num_layers = 1;
  model.spec.hidden_size = 3;
  model.spec.tokens = 10;
  model.spec.embedding_size = 2;
  model.spec.outputs = {{"yes"}, {"no"}};
  model.spec.head = Head::kSoftmax;
  FillWeights(&model);
  return model;
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_SAMPLE_MODELS_H_
