// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "freeatm/core/files.h"

namespace freeatm::evaluation {

/// What a person would rather see than read: rows of pictures and lines, each right, wrong, or neither.
class Examples {
 public:
  struct Cell {
    at::Tensor picture;  // bytes [H, W, 3]; undefined: none
    std::string text;
    std::optional<bool> is_right;
  };

  void add(const std::string& title, std::vector<Cell> cells);
  /// FOLDER/examples.json, an array of rows {"title": ..., "cells": [{"picture": "examples/0.png", "text": ...,
  /// "right": true}]}, and its pictures. Nothing where there are no rows.
  void write(const fs::path& folder) const;

 private:
  struct Row {
    std::string title;
    std::vector<Cell> cells;
  };
  std::vector<Row> rows_;
};

/// A picture in grey with a map over it, the higher the warmer. picture: bytes [H, W, 3]; map: [h, w], any numbers.
at::Tensor heat_map(const at::Tensor& picture, const at::Tensor& map);

}  // namespace freeatm::evaluation
