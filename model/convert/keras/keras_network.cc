// BuildKeras: the layers of a configuration, from the input to the output.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/graph/array.h"
#include "model/convert/keras/keras_file.h"
#include "model/convert/keras/keras_layer.h"
#include "model/convert/keras/keras_listing.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Parsed = nlohmann::json;

class KerasNetwork {
 public:
  KerasNetwork(const KerasFile& file, const Parsed& config, std::string version, ElementGraph* graph)
      : file_(file), version_(std::move(version)), graph_(*graph), listing_(config, graph) {}

  void Build() {
    for (const Listed& layer : listing_.layers()) {
      if (!graph_.status().ok()) return;
      Add(layer);
    }
    if (listing_.layers().empty()) return graph_.Refuse("the configuration has no layers");
    const Source output = Output();
    if (values_.count(output.name) == 0)
      return graph_.Refuse(absl::StrCat("the configuration's output ", Quoted(output.name), " is no layer"));
    const KerasValue value = ValueOf(output, output.name);
    if (value.window > 0) graph_.Refuse("the output is all timesteps as one vector; a Dense layer behind is supported");
    if (!value.sequence) graph_.Note("the answer is of the last timestep only; the model gives it at each");
    if (value.zeros_before > 0)
      graph_.Refuse("the output begins with a padding of timesteps; a convolution behind it is supported");
    graph_.SetOutput(value.value);
  }

 private:
  Source Output() {
    const std::vector<Source>& outputs = listing_.outputs();
    if (outputs.empty()) return {listing_.layers().back().name};
    std::vector<std::string> more;
    for (size_t i = 1; i < outputs.size(); ++i) more.push_back(outputs[i].name);
    if (!more.empty()) graph_.Note(absl::StrCat("left out: outputs ", absl::StrJoin(more, ", ")));
    return outputs[0];
  }

  const Parsed* InputShape(const Parsed& config) const {
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      if (config.contains(key) && config[key].is_array()) return &config[key];
    }
    return nullptr;
  }

  // How many numbers of a timestep an input has, by its shape; 0: the shape does not say it.
  int64_t WidthOf(const Listed& layer, std::vector<int64_t>* frame) const {
    const Parsed* shape = InputShape(*layer.config);
    int64_t width = shape == nullptr || shape->size() < 3 ? 0 : 1;
    for (size_t i = 2; width > 0 && i < shape->size(); ++i) {
      const bool known = (*shape)[i].is_number_integer() && (*shape)[i].get<int64_t>() > 0;
      frame->push_back(known ? (*shape)[i].get<int64_t>() : 0);
      if (!known || __builtin_mul_overflow(width, frame->back(), &width) || width > kMaxArrayValues) return 0;
    }
    return width;
  }

  int64_t TimestepsOf(const Listed& layer) const {
    const Parsed* shape = InputShape(*layer.config);
    const bool known = shape != nullptr && shape->size() > 1 && (*shape)[1].is_number_integer();
    const int64_t timesteps = known ? (*shape)[1].get<int64_t>() : 0;
    return timesteps <= kMaxArrayValues ? timesteps : 0;
  }

  // Several inputs stand side by side in a timestep, in the model's order.
  KerasValue AddOneOfInputs(const Listed& layer) {
    std::vector<std::string> texts;
    int64_t size = 0, from = -1, own = 0;
    for (const Listed& each : listing_.layers()) {
      if (each.type != "InputLayer") continue;
      std::vector<int64_t> frame;
      const int64_t width = WidthOf(each, &frame);
      if (width == 0 || frame.size() != 1) {
        graph_.Refuse(
            absl::StrCat("input ", Quoted(each.name),
                         " is one of several and not [batch, timesteps, features]; such inputs are supported"));
        return {};
      }
      if (each.name == layer.name) {
        from = size;
        own = width;
      }
      texts.push_back(absl::StrCat(Quoted(each.name), " is numbers ", size, " to ", size + width - 1));
      size += width;
    }
    graph_.Note(absl::StrCat("a timestep reads several inputs: ", absl::StrJoin(texts, ", ")));
    return {AddSlice(&graph_, layer.name, graph_.SetInput(size), "channels", from, from + own, 1), true};
  }

  // [batch, timesteps, features], or [batch, timesteps] of tokens.
  KerasValue AddInput(const Listed& layer) {
    const bool several = std::count_if(listing_.layers().begin(), listing_.layers().end(),
                                       [](const Listed& each) { return each.type == "InputLayer"; }) > 1;
    if (several && layer.type == "InputLayer") return AddOneOfInputs(layer);
    if (input_done_) {
      graph_.Refuse(absl::StrCat("layer ", Quoted(layer.name), " reads a second input that is no InputLayer"));
      return {};
    }
    input_done_ = true;
    const Parsed* shape = InputShape(*layer.config);
    if (layer.type == "Embedding" || (shape != nullptr && shape->size() == 2)) {
      return {graph_.SetInput(1), true};  // an embedding makes tokens of it
    }
    std::vector<int64_t> frame;
    if (const int64_t width = WidthOf(layer, &frame); width > 0) {
      const Value whole = graph_.SetInput(width);
      if (frame.size() == 1) return {whole, true};
      if (frame.size() == 2) return {FromRows(&graph_, layer.name, whole, frame[0], frame[1]), true};
    }
    const auto weights = file_.layers.find(layer.name);
    const bool kernel =
        weights != file_.layers.end() && !weights->second.arrays.empty() && weights->second.arrays[0].rank() >= 2;
    if (shape == nullptr && kernel) {
      const Array& first = weights->second.arrays[0];
      return {graph_.SetInput(first.shape[first.rank() - 2]), true};
    }
    graph_.Refuse(absl::StrCat("input ", Quoted(layer.name),
                               " is not [batch, timesteps, features], nor [batch, timesteps, rows, features]"));
    return {};
  }

  // The weights of a layer; of one inside a model of an HDF5 file, which has them together under the model's name,
  // those whose path has the layer's name.
  std::vector<Array> WeightsOf(const std::string& name) const {
    if (const auto found = file_.layers.find(name); found != file_.layers.end()) return found->second.arrays;
    std::vector<Array> arrays;
    const auto model = file_.layers.find(name.substr(0, name.find('/')));
    if (model == file_.layers.end()) return arrays;
    const std::string own = name.substr(name.rfind('/') + 1);
    std::set<std::string> weights;
    for (size_t i = 0; i < model->second.names.size(); ++i) {
      const std::string path = absl::StrCat("/", model->second.names[i]);
      const size_t at = path.find(absl::StrCat("/", own, "/"));
      if (at == std::string::npos) continue;
      arrays.push_back(model->second.arrays[i]);
      if (!weights.insert(path.substr(at + own.size() + 2)).second)
        graph_.Refuse(
            absl::StrCat("layer ", Quoted(name), ": another layer in the same model of the file has its name"));
    }
    return arrays;
  }

  // What a source answers: a layer's answer, or the state h that it ends with.
  KerasValue ValueOf(const Source& source, const std::string& reader) {
    KerasValue value = values_[source.name];
    if (source.index == 0) return value;
    const std::string& type = types_[source.name];
    if (source.index != 1 || (type != "LSTM" && type != "GRU" && type != "SimpleRNN")) {
      graph_.Refuse(absl::StrCat("layer ", Quoted(reader), " reads answer ", source.index, " of layer ",
                                 Quoted(source.name), " (", type.substr(0, 60),
                                 "); its first, or the state h of an LSTM, GRU or SimpleRNN, is supported"));
    }
    value.sequence = false;
    return value;
  }

  void Add(const Listed& layer) {
    types_[layer.name] = layer.type;
    if (layer.type == "InputLayer") {
      values_[layer.name] = AddInput(layer);
      values_[layer.name].timesteps = TimestepsOf(layer);
      return;
    }
    std::vector<KerasValue> inputs;
    for (const Source& source : layer.of) inputs.push_back(ValueOf(source, layer.name));
    if (inputs.empty()) {
      inputs.push_back(AddInput(layer));
      inputs.back().timesteps = TimestepsOf(layer);
    }
    const KerasLayer one(layer.type, *layer.config, version_, WeightsOf(layer.name), &graph_);
    if (!layer.keyword.empty())
      one.Refuse(absl::StrCat("takes what other layers give as ", Quoted(layer.keyword), ", which is not supported"));
    values_[layer.name] = layer.numbers.empty() ? AddKerasLayer(one, inputs)
                                                : AddKerasNumber(one, inputs, layer.numbers[0], layer.number_first);
  }

  const KerasFile& file_;
  const std::string version_;
  ElementGraph& graph_;
  const KerasListing listing_;
  std::map<std::string, KerasValue> values_;
  std::map<std::string, std::string> types_;
  bool input_done_ = false;
};

// What weights without a graph are of. A weight that no supported layer has is named first.
std::string WeightsOnly(const KerasFile& file) {
  std::vector<std::string> layers;
  for (const auto& [layer, weights] : file.layers) {
    if (weights.names.empty()) continue;
    layers.push_back(layer);
    for (const std::string& name : weights.names) {
      bool known = false;
      for (const char* each :
           {"kernel", "recurrent_kernel", "bias", "embeddings", "gamma", "beta", "moving_mean", "moving_variance"}) {
        known = known || absl::EndsWith(name, absl::StrCat("/", each, ":0")) ||
                absl::EndsWith(name, absl::StrCat("/", each));
      }
      if (!known)
        return absl::StrCat(
            "layer ", Quoted(layer), " has the weight ", Quoted(name), ", which no supported layer has (",
            absl::StrContains(name, "attention") ? "attention looks at all timesteps and is not supported"
                                                 : "custom layers are not supported",
            ")");
    }
  }
  return absl::StrCat("the file has the weights of ", absl::StrJoin(layers, ", "),
                      " and no graph; --config takes the configuration, which model.to_json() gives");
}

}  // namespace

void BuildKeras(const KerasFile& file, absl::string_view config, ElementGraph* graph) {
  const std::string text = file.config.empty() ? std::string(config) : file.config;
  if (text.empty()) return graph->Refuse(WeightsOnly(file));
  const absl::StatusOr<Parsed> json = ParseJson(text);
  if (!json.ok()) return graph->Refuse(absl::StrCat("the configuration: ", json.status().message()));
  if (!json->is_object()) return graph->Refuse("the configuration is no JSON object");
  const std::string said = TextOf(*json, "keras_version");
  KerasNetwork(file, *json, said.empty() ? file.version : said, graph).Build();
}

}  // namespace rondo::convert
