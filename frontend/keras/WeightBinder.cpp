//===- WeightBinder.cpp - which array of a file each weight is ------------===//

#include "frontend/keras/Layer.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tenon::keras {

static std::string placeIn(const Layer &layer, const Weight &weight,
                           StringRef part) {
  SmallVector<std::string> steps;
  if (!layer.place.empty())
    steps.push_back(layer.place);
  if (!part.empty())
    steps.push_back(part.str());
  steps.push_back("vars");
  steps.push_back(std::to_string(weight.index));
  return join(steps, "/");
}

namespace {
class Binder {
public:
  explicit Binder(KerasModel &model) : file(*model.weights) {}

  /// By the places that Keras 3 uses.
  Error bindByPlace(Layer &root) {
    Error first = Error::success();
    forAllLayers(root, [&](Layer &layer) {
      if (!first)
        first = bindLayer(layer);
    });
    return first;
  }

  Error bindLayer(Layer &layer) {
    for (Weight &weight : layer.weights) {
      // Keras has used several names for the same place.
      const Hdf5Object *object = nullptr;
      std::vector<std::string> places = placesIn(layer, weight);
      for (const std::string &place : places) {
        auto found = file.find(place);
        if (!found)
          return found.takeError();
        if ((object = *found)) {
          weight.place = place;
          break;
        }
      }
      if (Error error = bind(layer, weight, object, places.front()))
        return error;
    }
    return Error::success();
  }

  /// In the order in which Keras lists the weights of each layer of `root`.
  Error bindByOrder(Layer &root, const Hdf5Object &group, StringRef path) {
    auto names = namesOf(group, "layer_names");
    if (!names)
      return names.takeError();
    struct Group {
      std::string path;
      std::vector<std::string> weights;
    };
    std::vector<Group> groups;
    for (const std::string &name : *names) {
      Group one;
      one.path = (path + "/" + name).str();
      auto object = file.find(one.path);
      if (!object)
        return object.takeError();
      if (!*object)
        return createStringError("HDF5: the group '" + one.path +
                                 "' is missing");
      auto weights = namesOf(**object, "weight_names");
      if (!weights)
        return weights.takeError();
      one.weights = std::move(*weights);
      if (!one.weights.empty())
        groups.push_back(std::move(one));
    }
    std::vector<std::pair<Layer *, std::vector<Place>>> wanted;
    for (Layer *layer : root.topology->layers) {
      std::vector<Place> places = placesOf(*layer);
      if (!places.empty())
        wanted.emplace_back(layer, std::move(places));
    }
    if (wanted.size() != groups.size())
      return createStringError("the file has weights of " +
                               Twine(groups.size()) +
                               " layers, the model has " +
                               Twine(wanted.size()) + " layers with weights");
    for (auto [one, place] : zip(groups, wanted)) {
      auto &[layer, places] = place;
      if (places.size() != one.weights.size())
        return createStringError(
            "layer '" + layer->name + "' (" + layer->className + ") has " +
            Twine(places.size()) + " weights, the file has " +
            Twine(one.weights.size()) + " in '" + one.path + "'");
      for (auto [target, name] : zip(places, one.weights)) {
        std::string full = one.path + "/" + name;
        auto found = file.find(full);
        if (!found)
          return found.takeError();
        Weight &weight = target.layer->weights[target.index];
        StringRef plain = name;
        plain.consume_back(":0");
        weight.path = plain.str();
        weight.place = placeIn(*target.layer, weight, weight.part);
        if (Error error = bind(*target.layer, weight, *found, full))
          return error;
      }
    }
    return Error::success();
  }

private:
  /// Where a weight may be: as Keras 3 writes it, with a private part, and as
  /// Keras 2.13 did.
  static std::vector<std::string> placesIn(const Layer &layer,
                                           const Weight &weight) {
    std::vector<std::string> places = {placeIn(layer, weight, weight.part)};
    if (!weight.part.empty())
      places.push_back(placeIn(layer, weight, "_" + weight.part));
    for (size_t i = 0, count = places.size(); i < count; ++i) {
      StringRef rest = places[i];
      if (rest.consume_front("layers/"))
        places.push_back("_layer_checkpoint_dependencies/" + rest.str());
    }
    return places;
  }

  struct Place {
    Layer *layer;
    unsigned index;
  };

  Error bind(const Layer &layer, Weight &weight, const Hdf5Object *object,
             StringRef place) {
    auto wrong = [&](const Twine &text) {
      return createStringError(
          "layer '" + layer.name + "' (" + layer.className + "): weight '" +
          weight.name + "' " + text + " at '" + place + "' of the weights");
    };
    if (!object)
      return wrong("is missing");
    if (!object->unreadable.empty())
      return wrong("cannot be read, " + object->unreadable + ",");
    if (!object->dataset)
      return wrong("is not an array");
    weight.value = &*object->dataset;
    return Error::success();
  }

  /// A list of texts, which may be cut into several attributes.
  Expected<std::vector<std::string>> namesOf(const Hdf5Object &object,
                                             StringRef attribute) {
    if (object.attributes.count(attribute.str()))
      return file.texts(object, attribute);
    std::vector<std::string> all;
    for (unsigned i = 0;; ++i) {
      std::string part = (attribute + Twine(i)).str();
      if (!object.attributes.count(part))
        return all;
      auto some = file.texts(object, part);
      if (!some)
        return some.takeError();
      append_range(all, *some);
    }
  }

  /// Trainable weights first.
  static std::vector<Place> placesOf(Layer &root) {
    std::vector<Place> places;
    forAllLayers(root, [&](Layer &layer) {
      for (unsigned i = 0; i < layer.weights.size(); ++i)
        places.push_back({&layer, i});
    });
    std::stable_partition(places.begin(), places.end(), [](const Place &place) {
      return place.layer->weights[place.index].trainable;
    });
    return places;
  }

  Hdf5File &file;
};
} // namespace

void forAllLayers(Layer &root, function_ref<void(Layer &)> perform) {
  DenseSet<const Layer *> visited; // a layer may be shared with another one
  auto visit = [&](Layer &layer, auto &&visit) -> void {
    if (!visited.insert(&layer).second)
      return;
    perform(layer);
    for (auto &[attribute, inner] : layer.parts)
      visit(*inner, visit);
    if (layer.topology)
      for (Layer *inner : layer.topology->layers)
        visit(*inner, visit);
  };
  visit(root, visit);
}

Error bindWeights(KerasModel &model, const Hdf5Object *legacy,
                  StringRef legacyPath) {
  Binder binder(model);
  return legacy ? binder.bindByOrder(*model.root, *legacy, legacyPath)
                : binder.bindByPlace(*model.root);
}

} // namespace tenon::keras
