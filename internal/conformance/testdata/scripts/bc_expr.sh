echo 'scale=3; 10/3' | bc; echo '2^64' | bc; expr 3 + 4 \* 2; expr length hello; expr substr hello 2 3; expr abc : 'a\(.\)'
echo 'obase=16; 255' | bc; echo 'sqrt(2)' | bc -l | cut -c1-8; factor 84
