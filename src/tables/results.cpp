// SPDX-License-Identifier: Apache-2.0
#include "freeatm/tables/results.h"

#include <cmath>
#include <set>

#include "freeatm/core/error.h"

#include "numbers.h"

namespace freeatm::tables {
namespace {

void add_inputs(const JobGraph& graph, size_t job, std::set<size_t>& jobs) {
  if (!jobs.insert(job).second) return;
  for (const size_t input : graph.jobs[job].inputs) add_inputs(graph, input, jobs);
}

double minutes_of_row(const JobGraph& graph, const Plan& plan, size_t row) {
  std::set<size_t> jobs;
  for (const Cell& cell : graph.cells) {
    if (cell.row == row && cell.seed < plan.seeds) add_inputs(graph, cell.job, jobs);
  }
  double sum = 0;
  for (const size_t job : jobs) sum += plan.results[job] ? plan.results[job]->minutes : 0;
  return sum;
}

Difference difference_of(const CellResult& cell, const CellResult& baseline, bool* has_pairs) {
  std::vector<double> values, others;
  for (const auto& [seed, value] : cell.values) {
    const auto other = baseline.values.find(seed);
    if (other == baseline.values.end()) continue;
    values.push_back(value);
    others.push_back(other->second);
  }
  *has_pairs = !values.empty();
  return values.empty() ? Difference{} : paired_difference(values, others);
}

void compare_with_baseline(const TableFile& table, Results& results) {
  if (table.baseline.empty()) return;
  const auto baseline = static_cast<size_t>(&table.row(table.baseline) - table.rows.data());
  for (size_t row = 0; row < table.rows.size(); ++row) {
    for (size_t column = 0; row != baseline && column < table.columns.size(); ++column) {
      CellResult& cell = results.cells[row][column];
      bool has_pairs = false;
      const Difference difference = difference_of(cell, results.cells[baseline][column], &has_pairs);
      if (has_pairs) cell.difference = difference;
    }
  }
}

}  // namespace

bool CellResult::is_missed() const {
  return expected && summary && !(std::abs(summary->mean - expected->value) <= expected->tolerance);
}

Results results_of(const TableFile& table, const JobGraph& graph, const Plan& plan) {
  Results results;
  results.seeds = static_cast<int64_t>(plan.seeds);
  results.cells.assign(table.rows.size(), std::vector<CellResult>(table.columns.size()));
  for (const Cell& cell : graph.cells) {
    if (cell.seed >= plan.seeds) continue;
    CellResult& result = results.cells[cell.row][cell.column];
    result.has_cell = true;
    const std::optional<Result>& known = plan.results[cell.job];
    if (known && known->metrics.contains(cell.metric)) {
      result.values[table.seeds[cell.seed]] = known->metrics.at(cell.metric);
    } else {
      ++results.missing;
    }
  }
  for (size_t row = 0; row < table.rows.size(); ++row) {
    results.minutes.push_back(minutes_of_row(graph, plan, row));
    for (size_t column = 0; column < table.columns.size(); ++column) {
      CellResult& cell = results.cells[row][column];
      std::vector<double> values;
      for (const auto& [seed, value] : cell.values) values.push_back(value);
      if (!values.empty()) cell.summary = summary_of(values);
      const auto expected = table.expected.find({table.rows[row].name, table.columns[column].name});
      if (expected != table.expected.end()) cell.expected = expected->second;
    }
  }
  compare_with_baseline(table, results);
  return results;
}

std::vector<std::string> misses(const TableFile& table, const Results& results) {
  std::vector<std::string> lines;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    for (size_t column = 0; column < table.columns.size(); ++column) {
      const CellResult& cell = results.cells[row][column];
      if (!cell.is_missed()) continue;
      const int64_t digits = table.columns[column].digits;
      lines.push_back(format("{}, {}: {} ± {} was expected, {} has come out", table.rows[row].title,
                             table.columns[column].title, fixed(cell.expected->value, digits),
                             fixed(cell.expected->tolerance, digits), fixed(cell.summary->mean, digits)));
    }
  }
  return lines;
}

void write_results(const fs::path& out, const TableFile& table, const JobGraph& graph, const Plan& plan,
                   const RunOptions& options) {
  const Results results = results_of(table, graph, plan);
  prepare_folder(out);
  write_file(out / "table.md", markdown(table, graph, plan, results, options));
  write_file(out / "table.csv", csv(table, results));
  write_file(out / "table.html", page(table, graph, plan, results, options));
}

}  // namespace freeatm::tables
