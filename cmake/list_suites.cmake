# cmake -D program=TEST -D prefix=LAYER. -D label=slow -D out=FILE -P list_suites.cmake: an entry of ctest for each suite of a test program, in FILE.
execute_process(COMMAND ${program} --gtest_list_tests OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\n  [^\n]*" "" suites "\n${listed}")  # what is indented is a test
string(REGEX MATCHALL "[^\n]+" suites "${suites}")
set(entries "")
foreach(suite IN LISTS suites)  # COST: before the fast ones, so that no long one is left at the end
  string(REGEX REPLACE "\\.( .*)?$" "" suite "${suite}")
  string(APPEND entries "add_test([=[${prefix}${suite}]=] [=[${program}]=] [=[--gtest_filter=${suite}.*]=] --gtest_brief=1)\n"
    "set_tests_properties([=[${prefix}${suite}]=] PROPERTIES LABELS ${label} COST 1000 SKIP_RETURN_CODE 77 ENVIRONMENT GOMP_SPINCOUNT=2000)\n")
endforeach()
file(WRITE ${out} "${entries}")
