#include "model/convert/onnx/gelu.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

class GeluJoiner {
 public:
  explicit GeluJoiner(ElementGraph* graph) : graph_(*graph) {}

  void Join() {
    for (Element& element : graph_.elements()) {
      if (element.type == "multiply") Try(&element);
    }
    for (const Element& element : graph_.elements()) {
      if (!IsErf(element) || joined_.count(element.name) > 0) continue;
      return graph_.Refuse(absl::StrCat(element.origin, " is an error function that is no part of a GELU"));
    }
  }

 private:
  static bool IsErf(const Element& element) {
    return element.type == "activation" && element.attributes.value("function", "") == kErf;
  }

  // The numbers multiplied in a product of products.
  struct Product {
    double factor = 1;
    std::vector<const Element*> gates;  // 1 + erf(...)
    std::vector<std::string> others;
  };

  // A constant of equal numbers. NaN: none.
  static double ConstantOf(const Element* element) {
    if (element == nullptr || element->type != "constant") return std::nan("");
    const std::vector<double>& values = element->slots[0].second.values;
    const bool alike = std::all_of(values.begin(), values.end(), [&](double v) { return v == values[0]; });
    return alike ? values[0] : std::nan("");
  }

  // `x` is not taken apart.
  void Take(const std::string& name, const std::string& x, int depth, Product* product) const {
    const Element* element = name == x ? nullptr : graph_.Find(name);
    if (const double constant = ConstantOf(element); !std::isnan(constant)) {
      product->factor *= constant;
    } else if (element != nullptr && ErfOf(*element) != nullptr) {
      product->gates.push_back(ErfOf(*element));
    } else if (element != nullptr && element->type == "multiply" && depth < 2) {
      for (const std::string& of : element->of) Take(of, x, depth + 1, product);
    } else if (element != nullptr && element->type == "divide" && depth < 2 &&
               !std::isnan(ConstantOf(graph_.Find(element->of[1])))) {
      Take(element->of[0], x, depth + 1, product);
      product->factor /= ConstantOf(graph_.Find(element->of[1]));
    } else {
      product->others.push_back(name);
    }
  }

  // The erf of 1 + erf(...). Null: the element is something else.
  const Element* ErfOf(const Element& element) const {
    if (element.type != "add" || element.of.size() != 2) return nullptr;
    for (const int i : {0, 1}) {
      const Element *erf = graph_.Find(element.of[i]), *one = graph_.Find(element.of[1 - i]);
      if (erf != nullptr && IsErf(*erf) && ConstantOf(one) == 1) return erf;
    }
    return nullptr;
  }

  // What x is multiplied with before erf, if that is a constant, and the name of x.
  double FactorOf(const Element& erf, std::string* x) const {
    const Element* scaled = graph_.Find(erf.of[0]);
    if (scaled == nullptr || scaled->of.size() != 2) return std::nan("");
    for (const int i : {0, 1}) {
      const double constant = ConstantOf(graph_.Find(scaled->of[i]));
      if (std::isnan(constant)) continue;
      *x = scaled->of[1 - i];
      if (scaled->type == "multiply") return constant;
      if (scaled->type == "divide" && i == 1) return 1 / constant;
    }
    return std::nan("");
  }

  void Try(Element* element) {
    Product product, whole;
    Take(element->name, "", 0, &product);
    std::string x;
    if (product.gates.size() != 1) return;
    const Element& erf = *product.gates[0];
    if (!(std::abs(FactorOf(erf, &x) - std::sqrt(0.5)) < 1e-6)) return;
    Take(element->name, x, 0, &whole);
    const bool half = std::abs(whole.factor - 0.5) < 1e-6;
    if (!half || whole.gates.size() != 1 || whole.others != std::vector<std::string>{x}) return;
    joined_.insert(erf.name);
    element->type = "activation";
    element->of = {x};
    element->attributes = {{"function", "gelu"}};
  }

  ElementGraph& graph_;
  std::set<std::string> joined_;
};

}  // namespace

void JoinGelus(ElementGraph* graph) { GeluJoiner(graph).Join(); }

}  // namespace rondo::convert
