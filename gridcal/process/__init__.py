"""What a process model is: parameters, declaration, constraints, and the test that it keeps the contract."""
