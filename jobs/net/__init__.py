"""The additive-code net: codes, the linear solution under it, the body, training, tuning. Arrays in, arrays out."""
