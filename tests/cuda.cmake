# Target cuda without a GPU: the same bodies, and those of cuda_test.cpp, with the stand-in in place of CUDA's driver.
# With a GPU, `./dev gpu` runs them on it.
add_subdirectory(standin_driver)
corrbank_test(standin_driver standin_driver_bugs_test.cpp)
target_compile_definitions(corrbank_standin_driver_test PRIVATE
  STANDIN_DRIVER="${CORRBANK_STANDIN_DRIVER_DIR}/libcuda.so.1")
target_link_libraries(corrbank_standin_driver_test PRIVATE ${CMAKE_DL_LIBS})
add_dependencies(corrbank_standin_driver_test corrbank_standin_driver)

# The tests need an environment, which ctest's discovery does not give.
corrbank_test_program(cuda)
corrbank_test_program(cuda_kernels)
target_include_directories(corrbank_cuda_kernels_test PRIVATE "${CORRBANK_KERNEL_TABLE_DIR}")

# corrbank_standin_test(NAME TEST FILTER [SETTING...]): tests FILTER of corrbank_TEST_test, with the stand-in set up by
# SETTINGS (standin_driver/settings.h).
function(corrbank_standin_test name test filter)
  add_test(NAME standin.${name} COMMAND corrbank_${test}_test "--gtest_filter=${filter}" --gtest_brief=1)
  set_tests_properties(standin.${name} PROPERTIES
    ENVIRONMENT "LD_LIBRARY_PATH=${CORRBANK_STANDIN_DRIVER_DIR};${ARGN}"
    FAIL_REGULAR_EXPRESSION " 0 tests from;stand-in driver: kernel")
endfunction()
foreach(test correctness shapes memory numerics)
  corrbank_standin_test(${test} ${test} "*/cuda")
endforeach()
corrbank_standin_test(kernels cuda_kernels "*")
# A machine with a GPU has all else as well.
corrbank_standin_test(targets targets "*")
corrbank_standin_test(c_api c_api "*")
corrbank_standin_test(one_gpu cuda "Gpu.*")
corrbank_standin_test(two_gpus cuda "TwoGpus.*" STANDIN_CUDA_DEVICES=2)
corrbank_standin_test(no_gpu cuda "NoGpu.*" STANDIN_CUDA_DEVICES=0)
corrbank_standin_test(old_gpu cuda "OldGpu.*" STANDIN_CUDA_CAPABILITY=6.1)
corrbank_standin_test(little_memory cuda "LittleMemory.*" STANDIN_CUDA_MEMORY=1048576)
corrbank_standin_test(failing_launch cuda "FailingLaunch.*" STANDIN_CUDA_FAIL=cuLaunchKernel:1:719)
corrbank_standin_test(failing_load cuda "FailingLoad.*" STANDIN_CUDA_FAIL=cuModuleLoadDataEx:1:209)
if(CORRBANK_PYTHON)
  add_test(NAME standin.python COMMAND "${Python_EXECUTABLE}" -m pytest -rs -p no:cacheprovider
           "${PROJECT_SOURCE_DIR}/python/tests/test_cuda.py" "${PROJECT_SOURCE_DIR}/python/tests/test_plan.py"
           "${PROJECT_SOURCE_DIR}/python/tests/test_cli.py")
  set_tests_properties(standin.python PROPERTIES
    ENVIRONMENT "PYTHONPATH=${PROJECT_BINARY_DIR}/python;LD_LIBRARY_PATH=${CORRBANK_STANDIN_DRIVER_DIR}"
    FAIL_REGULAR_EXPRESSION "no GPU here;stand-in driver: kernel")
endif()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME ptx_gate
  COMMAND "${Python3_EXECUTABLE}" -m pytest -p no:cacheprovider "${CMAKE_CURRENT_SOURCE_DIR}/ptx_gate_test.py")
