import ArgumentParser
import Configuration
print("lethed")
