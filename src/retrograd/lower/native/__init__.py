"""Graph to machine code, through LLVM."""
