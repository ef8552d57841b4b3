#ifndef RONDO_MODEL_CONVERT_KERAS_KERAS_LISTING_H_
#define RONDO_MODEL_CONVERT_KERAS_KERAS_LISTING_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/convert/graph/element_graph.h"
#include "nlohmann/json.hpp"

namespace rondo::convert {

// What a layer reads: the answer of another one, or one of several (1: an LSTM's state h).
struct Source {
  std::string name;
  int64_t index = 0;

  bool operator<(const Source& other) const { return std::tie(name, index) < std::tie(other.name, other.index); }
};

// One layer as the configuration lists it. The name of one inside another model begins with that of the model.
struct Listed {
  std::string name, type;
  const nlohmann::json* config = nullptr;
  std::vector<Source> of;
  std::vector<double> numbers;  // that an operation like x * 2 takes besides
  bool number_first = false;    // 2 - x
  bool masked = false;          // it is given a mask
  std::string keyword;          // under which it takes a tensor; empty: none
};

// The layers of a configuration in an order in which each follows what it reads. Models inside models are taken apart:
// their layers stand among the others.
class KerasListing {
 public:
  // Refuses a configuration that is no model in `graph`. Borrows the configuration.
  KerasListing(const nlohmann::json& config, ElementGraph* graph);

  const std::vector<Listed>& layers() const { return layers_; }
  const std::vector<Source>& outputs() const { return outputs_; }

 private:
  // Lists the layers of a model, which reads `given`; returns its outputs. `each_timestep`: every layer of it is
  // applied at each timestep alone.
  std::vector<Source> ListModel(const nlohmann::json& model, const std::string& prefix,
                                const std::vector<Source>& given, bool each_timestep, int depth);
  std::optional<Listed> ReadLayer(const nlohmann::json& json, bool sequential, const Source& before,
                                  const std::string& prefix);
  void ApplyAtEachTimestep(const nlohmann::json& json, Listed* layer);
  Source Resolved(Source source) const;
  void SortLayers();
  void LeaveOutUnread();

  ElementGraph& graph_;
  std::vector<Listed> layers_;
  std::vector<Source> outputs_;
  std::map<Source, Source> stands_for_;  // the names of models and of the inputs of models inside others
  std::deque<nlohmann::json> made_;      // configurations of layers at each timestep
};

// The text under a key, or the empty text.
std::string TextOf(const nlohmann::json& json, const char* key);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_KERAS_KERAS_LISTING_H_
