// Throws at boot.
throw new Error("this release is broken");
