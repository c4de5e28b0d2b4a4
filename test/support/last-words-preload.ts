/** Loaded before a program, as the worker actor is. */
import { keepLastWords } from "../../src/actors/worker/last-words.js";

keepLastWords();
